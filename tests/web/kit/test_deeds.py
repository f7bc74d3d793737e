"""What was done to a record, in its reader's words: no line of "who looked" is put together at run time."""

import ast
from pathlib import Path

import pytest

import bedside
from bedside.web.kit.deeds import AT_THE_DOOR, TYPES, deed
from bedside.web.kit.languages import catalogue

pytestmark = pytest.mark.unit

SOURCE = Path(bedside.__file__).parent
THE_DOOR = {"records/routes/rest.py", "records/service/writing.py"}
"""Where a verb and a FHIR type are put together: `deed` takes those apart."""


@pytest.mark.parametrize(
    ("action", "english", "spanish"),
    [
        ("read Observation", "read: measurements and results", "leyó: mediciones y resultados"),
        ("read the history of Patient", "read earlier versions: name, address and contacts", None),
        ("searched the record", "searched: the whole record", "buscó: toda la historia"),
        ("created Basic", "added: Basic", "añadió: Basic"),
        ("read the audit", "read the audit", None),
        ("took the visit", "took the visit", "tomó la visita"),
        ("wrote 100 % of it", "wrote 100 % of it", "wrote 100 % of it"),
    ],
)
def test_a_deed_in_words(action: str, english: str, spanish: str | None) -> None:
    assert deed(action, catalogue("en").gettext) == english
    said = deed(action, catalogue("es").gettext)
    assert said != english if spanish is None else said == spanish


def test_the_longer_verb_is_tried_first() -> None:
    verbs = list(AT_THE_DOOR)
    assert all(not later.startswith(f"{verb} ") for n, verb in enumerate(verbs) for later in verbs[n + 1 :])
    assert all(catalogue("es").gettext(words) for words in (*AT_THE_DOOR.values(), *TYPES.values()))


def test_every_deed_is_written_down_whole() -> None:
    """work(ctx, f"{verb} a prescription") would reach a Spanish patient in English: a table of msgids instead."""
    composed = []
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).as_posix() in THE_DOOR:
            continue
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and "work" in (getattr(call.func, n, "") for n in ("id", "attr")):
                said = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "action")]
                composed += [
                    f"{path}:{call.lineno}" for one in said if isinstance(one, ast.JoinedStr | ast.BinOp | ast.Call)
                ]
    assert composed == []
