"""Rows of tables on a phone: each cell knows its column, and a row stays a row for a screen reader."""

import pytest

from bedside.web.kit.rows import labelled

pytestmark = pytest.mark.unit

COLUMNS = ["Since", "Patient", "“Answer” & more"]


def test_each_cell_has_its_columns_name_and_its_role() -> None:
    rows = (
        '<tr class="old"><td class="nowrap">22:41</td><th scope="row"><a href="/x">Rosa</a></th><td><b>no</b></td></tr>'
    )
    assert labelled(rows, COLUMNS) == (
        '<tr role="row" class="old"><td role="cell" data-label="Since" class="nowrap"><div>22:41</div></td>'
        '<th role="rowheader" data-label="Patient" scope="row"><div><a href="/x">Rosa</a></div></th>'
        '<td role="cell" data-label="“Answer” &amp; more"><div><b>no</b></div></td></tr>'
    )


def test_the_columns_begin_anew_in_each_row_and_none_is_made_up() -> None:
    rows = "<tr><td>1</td></tr>\n<tr><td>2</td><td>3</td><td>4</td><td>5</td></tr>"
    assert str(labelled(rows, COLUMNS)).count('data-label="Since"') == 2
    assert 'data-label=""><div>5</div>' in labelled(rows, COLUMNS)


@pytest.mark.parametrize("nothing", ["", " \n ", "–"])
def test_a_cell_that_says_nothing_is_marked(nothing: str) -> None:
    assert "data-empty" in labelled(f"<tr><td>{nothing}</td></tr>", COLUMNS)
    assert "data-empty" not in labelled("<tr><td>0</td></tr>", COLUMNS)
