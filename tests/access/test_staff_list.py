"""Many colleagues from a spreadsheet: every way a file or a row can be wrong, and that doing it twice adds nobody."""

from __future__ import annotations

import pytest

from bedside import access
from bedside.access.model import staff_list as model
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid

pytestmark = pytest.mark.engine
HEAD = ",".join(model.COLUMNS)


def faults(line: str, head: str = HEAD) -> dict[str | None, str]:
    [row] = model.read(f"{head}\n{line}\n".encode())
    return {one.where: f"{one.message} {one.remedy or ''}" for one in row.faults}


def test_the_template_is_a_good_list() -> None:
    rows = model.read(model.template().encode())
    assert [(row.name, row.faults) for row in rows] == [("Ana Ruiz", ()), ("Tom Berg", ())]
    assert rows[0].licence is not None
    assert rows[0].licence.until.isoformat() == "2027-12-31"


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_marks_commas_semicolons_and_any_order_of_columns(mark: str, comma: str) -> None:
    text = f'{mark}Role{comma}E-mail{comma}Name\r\nnurse{comma}a@b.example{comma}"Núñez, Ana"\r\n'
    with pytest.raises(Invalid, match="e-mail"):
        model.read(text.encode())
    [row] = model.read(text.replace("E-mail", "EMAIL").encode())
    assert (row.name, row.email, row.roles, row.faults) == ("Núñez, Ana", "a@b.example", {"nurse"}, ())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"{HEAD}\nNúñez,a@b.example,nurse\n".encode("cp1252"), "UTF-8"),
        (f"{HEAD}\nAna,a@b.example,nurse\n".encode("utf-16"), "UTF-8"),
        (b"", "empty"),
        (b"name,email\nAna,a@b.example\n", "lacks the column role"),
        (b"name,email,role,shoe\nAna,a@b.example,nurse,39\n", "shoe"),
        (f"{HEAD}\n,,\n".encode(), "nobody"),
        (f"{HEAD}\n".encode() + b"Ana,a@b.example,nurse\n" * 2001, "2000 rows"),
        (b"x" * 1_000_001, "1 MB"),
        (b"PK\x03\x04 a workbook", "workbook"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "CSV UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        model.read(data)
    assert said in f"{refused.value.message} {refused.value.remedy}"
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (",a@b.example,nurse", "name", "Write the name"),
        ("Ana,a@b,nurse", "email", "ana@clinic.example"),
        ("Ana,a@b.example,doctor", "role", "clinician"),
        ("Ana,a@b.example,nurse+patient", "role", "no such role"),
        ("Ana,a@b.example,nurse,call me", "phone", "+34"),
        ("Ana,a@b.example,nurse,,spanish", "language", "en or es"),
        ("Ana,a@b.example,nurse,,,,0", "step", "1 to 9"),
        ("Ana,a@b.example,nurse,,,,,Spain,1,,2020-01-01,2027-01-01,register", "licence_place", "US-NY"),
        ("Ana,a@b.example,nurse,,,,,ES,,,2020-01-01,2027-01-01,register", "licence_number", "number"),
        ("Ana,a@b.example,nurse,,,,,ES,1,,2020-01-01,2027-01-01,", "licence_source", "checked"),
        ("Ana,a@b.example,nurse,,,,,ES,1,best,2020-01-01,2027-01-01,register", "licence_kind", "full"),
        ("Ana,a@b.example,nurse,,,,,ES,1,,2020-01-01,03/04/2027,register", "licence_until", "two days"),
        ("Ana,a@b.example,nurse,,,,,ES,1,,2020-01-01,31/31/2027,register", "licence_until", "no day"),
        ("Ana,a@b.example,nurse,,,,,ES,1,,2020-01-01,next year,register", "licence_until", "2027-12-31"),
        ("Ana,a@b.example,nurse,,,,,ES,2.82801E+15,,2020-01-01,2027-01-01,register", "licence_number", "shortened"),
        ('Ana,a@b.example,nurse,"3,46E+10"', "phone", "shortened"),
        ("Ana,a@b.example,nurse,,,,,ES,1,,2020-01-01,2019-01-01,register", "licence_until", "before it begins"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_by_its_column(line: str, column: str, said: str) -> None:
    found = faults(line)
    assert list(found) == [column]
    assert said in found[column]


@pytest.mark.parametrize("written", ["2027-12-31", "31.12.2027", "31/12/2027", "12/31/2027"])
def test_days_are_read_as_spreadsheets_write_them_back(written: str) -> None:
    [row] = model.read(f"{HEAD}\nAna,a@b.example,nurse,,,,,ES,1,,01/01/2020,{written},register\n".encode())
    assert not row.faults
    assert row.licence is not None
    assert (row.licence.since.isoformat(), row.licence.until.isoformat()) == ("2020-01-01", "2027-12-31")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;\r", '"sep=;"'])
def test_a_line_that_says_what_stands_between_columns_is_none_of_the_list(line: str) -> None:
    [row] = model.read(f"{line}\nname;email;role\nAna, of the desk;a@b.example;nurse\n".encode())
    assert (row.name, row.faults) == ("Ana, of the desk", ())


def test_one_address_twice_in_a_list_is_wrong_the_second_time() -> None:
    first, second = model.read(f"{HEAD}\nAna,a@b.example,nurse\nBen,A@B.example,nurse\n".encode())
    assert not first.faults
    assert "Line 2" in second.faults[0].message


async def test_looking_writes_nothing_and_taking_twice_adds_nobody_twice(ctx: Ctx) -> None:
    boss = acting(ctx, await someone(ctx, "administrator"))
    async with access.work(ctx, "prepared") as inner:
        await access.clinics.set_clinic(
            inner, access.Clinic("Sol", "ES", "Europe/Madrid", "es", "metric", "+34 910 000 000", "112")
        )
        await access.add_place(inner, "home", "Home monitoring", "programme", "Europe/Madrid")
        await access.add_place(inner, "shop", "Pharmacy Sol", "pharmacy")
    data = (
        f"{HEAD}\n"
        "Ana Ruiz,ana@sol.example,clinician+administrator,,,home monitoring,2,ES,1,,2020-01-01,2027-01-01,register\n"
        "Tom Berg,tom@sol.example,nurse,+34 600 000 000,en,home,,,,,,,\n"
        "Grace Lin,grace@sol.example,pharmacist,,,Pharmacy Sol\n"
        "Uma Roy,uma@sol.example,nurse,,,Elsewhere\n"
        "Ed Fox,ed@sol.example,privacy-officer,,,Home monitoring\n"
    ).encode()
    async with access.work(boss, "looked", readonly=True) as inner:
        preview = await access.staff_list.look(inner, data)
        assert len(await access.people(inner)) == 1
    assert [one.state for one in preview.rows] == ["new", "new", "new", "wrong", "wrong"]
    assert [one.row.faults[0].where for one in preview.of("wrong")] == ["place", "place"]
    async with access.work(boss, "took") as inner:
        added = {one.person.name: one for one in await access.staff_list.take(inner, data)}
    assert set(added) == {"Ana Ruiz", "Tom Berg", "Grace Lin"}
    ana, tom = added["Ana Ruiz"].person, added["Tom Berg"].person
    assert (ana.language, tom.language, ana.zone) == ("es", "en", "Europe/Madrid")
    async with access.work(boss, "looked", readonly=True) as inner:
        duties = {(one.name, one.role, one.step) for one in await access.on_duty(inner, place="home")}
        assert duties == {("Ana Ruiz", "clinician", 2), ("Tom Berg", "nurse", 1)}
        assert [one.number for one in await access.licences_of(inner, ana.id)] == ["1"]
        assert await access.sign_in.link_kind(boss, added["Tom Berg"].link.rpartition("/")[2]) == "invitation"
    async with access.work(boss, "took again") as inner:
        assert await access.staff_list.take(inner, data) == []
        again = await access.staff_list.look(inner, data.replace(b"nurse,+34", b"clinician,+34"))
    assert [one.state for one in again.rows][:3] == ["here"] * 3
    assert again.rows[1].note.startswith("Here as")


async def test_somebody_of_the_same_name_is_said(ctx: Ctx) -> None:
    boss = acting(ctx, await someone(ctx, "administrator", name="Pat Morgan"))
    async with access.work(boss, "looked", readonly=True) as inner:
        [one] = (await access.staff_list.look(inner, f"{HEAD}\npat morgan,p@b.example,nurse".encode())).rows
    assert one.state == "new"
    assert "same person" in one.note


async def test_only_an_administrator_may(ctx: Ctx) -> None:
    nurse = acting(ctx, await someone(ctx, "nurse"))
    for deed in (access.staff_list.look, access.staff_list.take):
        async with access.work(nurse, "tried") as inner:
            with pytest.raises(Forbidden):
                await deed(inner, model.template().encode())
