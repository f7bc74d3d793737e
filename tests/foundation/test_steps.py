"""What the steps of the database's history say of themselves is what stands in their SQL."""

import pytest

from bedside.foundation.steps import directory, judged, revisions, statements, steps

pytestmark = pytest.mark.unit

SINCE = "0026"
"""The last step that was there before steps had to say whether they go back."""


def test_every_step_is_understood_and_titled() -> None:
    found = steps()
    assert [step.revision for step in found] == revisions()
    assert [step.before for step in found] == [None, *revisions()[:-1]]
    assert {step.revision: step.unread for step in found if step.unread} == {}
    assert [step.revision for step in found if ": " not in step.title] == []


def test_every_step_since_says_whether_it_goes_back() -> None:
    """One that cannot says so to whoever tries: `restore the backup`; the others count what they lose."""
    texts = {path: path.read_text() for path in (directory() / "versions").glob("*.py")}
    for step in steps()[revisions().index(SINCE) + 1 :]:
        [text] = [each for each in texts.values() if f'\nrevision = "{step.revision}"\n' in each]
        goes_back = "op.execute(BACK)" in text
        assert goes_back == (step.loses is not None), step.revision
        assert goes_back or "restore the backup" in text, step.revision


@pytest.mark.parametrize(
    ("sql", "touched"),
    [
        ("alter table a.b add column c int", {"a.b": "moment"}),
        ("alter table a.b add column c int not null default 0 check (c > 0)", {"a.b": "read"}),
        ("alter table a.b add constraint d check (c in ('x;', 'y'))", {"a.b": "read"}),
        ("alter table a.b alter column c type bigint", {"a.b": "rewritten"}),
        ("create unique index d on a.b (c) where c is not null", {"a.b": "index"}),
        ("create index on a.b (c)", {"a.b": "index"}),
        ("update a.b set c = 1; alter table a.b drop column d", {"a.b": "rows"}),
        ("create table a.n (b int references a.b); create index on a.n (b)", {"a.b": "moment"}),
        ("create function a.f() returns trigger language plpgsql as $$begin update a.b set c = 1; end$$", {}),
        ("-- update a.b\ncreate trigger t before update on a.b for each row execute function a.f()", {"a.b": "moment"}),
    ],
)
def test_what_a_statement_does_to_a_table_that_is_there(sql: str, touched: dict[str, str]) -> None:
    _, found, unread = judged(statements(sql))
    assert (found, unread) == (touched, ())


def test_what_is_not_understood_is_not_passed_over() -> None:
    assert judged(statements("do $$begin end$$"))[2] == ("do ''",)
