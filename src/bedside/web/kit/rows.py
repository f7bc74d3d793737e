"""A table's rows on a narrow screen: each stands as a block of lines there, and each line says its column's name.

The rows come as the markup that a template wrote; what is added are the names (data-label, shown by staff-page.css) and
the roles, since a row that is no longer laid out as one would else be none for a screen reader either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

_TAG = re.compile(r"<(tr|td|th)\b([^>]*)>|</(td|th)>")
NOTHING = {"", "–", '<span class="quiet">–</span>'}
ROLES = {"tr": "row", "td": "cell", "th": "rowheader"}


def labelled(rows: str, columns: Sequence[str]) -> Markup:
    """The rows with each cell's column in data-label, and a cell that says nothing marked data-empty."""
    return Markup("".join(_pieces(rows, columns)))  # noqa: S704 - the template's own markup, its values escaped there


def _pieces(rows: str, columns: Sequence[str]) -> Iterator[str]:
    end = column = 0
    tags = list(_TAG.finditer(rows))
    for n, tag in enumerate(tags):
        yield rows[end : tag.start()]
        end = tag.end()
        name, attributes, closed = tag.groups()
        if closed:
            yield f"</div></{closed}>"
        elif name == "tr":
            column = 0
            yield f'<tr role="row"{attributes}>'
        else:
            label = escape(columns[column]) if column < len(columns) else ""
            empty = " data-empty" if rows[end : tags[n + 1].start()].strip() in NOTHING else ""
            column += 1
            yield f'<{name} role="{ROLES[name]}" data-label="{label}"{empty}{attributes}><div>'
    yield rows[end:]
