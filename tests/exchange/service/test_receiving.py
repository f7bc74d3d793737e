"""From a block to its acknowledgement, on a real PostgreSQL: what is kept, what is answered, what is told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.exchange.conftest import patient
from tests.exchange.oru import (
    DIASTOLIC,
    HEART_RATE,
    MEAN,
    MMHG,
    PERCENT,
    PID,
    SPO2,
    SYSTEM,
    SYSTOLIC,
    codes,
    fields,
    msh,
    obx,
    oru,
)

from bedside import access, exchange, monitoring, records
from bedside.access.testing import acting, someone
from bedside.exchange.model.framing import Block
from bedside.exchange.service.receiving import receive
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Conflict, Invalid
from bedside.monitoring.series.service.compaction import compact

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("ward")]

CODES = [(HEART_RATE, "81", "bpm"), (SPO2, "97", PERCENT)]
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def sent(ctx: Ctx, message: bytes, peer: str = "127.0.0.1") -> list[bytes]:
    return await receive(ctx, Block(message), peer)


async def one(ctx: Ctx, message: bytes, peer: str = "127.0.0.1") -> dict[str, list[list[str]]]:
    (answer,) = await sent(ctx, message, peer)
    return fields(answer)


async def values(ctx: Ctx, metric: str, who: str = "p1") -> list[float | str]:
    """What stands of a metric, withdrawn readings left out."""
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, who, metric, *EVER)
    return [point.value for point in found.points if not point.withdrawn]


async def withdrawn(ctx: Ctx, metric: str, who: str = "p1") -> list[float | str]:
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, who, metric, *EVER)
    return [point.value for point in found.points if point.withdrawn]


async def events(ctx: Ctx) -> dict[str, monitoring.TechnicalEvent]:
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "took into care") as inner:
        for who in ("p1", "p2", "p3"):
            await access.relate(inner, person=nurse.id, patient=who, kind="care", source="test")
    async with access.work(acting(ctx, nurse), "looked at technical events") as inner:
        return {event.kind: event for event in await monitoring.technical_events(inner)}


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.connection() as sql:
        return [tuple(row) for row in await sql.fetch(query)]


async def test_a_monitors_results_are_readings_of_the_patient_of_pid_3(ctx: Ctx) -> None:
    answer = await one(
        ctx, oru(obx(), obx(SPO2, "97", PERCENT), obx(SYSTOLIC, "120", MMHG), obx(DIASTOLIC, "80", MMHG))
    )
    assert answer["MSA"][0][1:] == ["AA", "m1"]
    assert answer["MSH"][0][4:6] == ["MON", "ICU"]
    assert answer["MSH"][0][8] == "ACK^R01^ACK"
    assert "ERR" not in answer
    assert await values(ctx, "heart-rate") == [80]
    assert await values(ctx, "spo2") == [97]
    assert await values(ctx, "systolic") == [120]
    async with access.work(ctx, "looked") as inner:
        page = await records.search(inner, "Observation", [("patient", "p1"), ("code", "http://loinc.org|85354-9")])
    assert [part["valueQuantity"]["value"] for part in page.entries[0]["component"]] == [120, 80]


async def test_units_are_converted_and_what_the_wire_refuses_is_refused_here(ctx: Ctx) -> None:
    loinc = "8480-6^Systolic^LN"
    answer = await one(
        ctx,
        oru(
            obx("8310-5^Body temperature^LN", "98.6", "[degF]^F^UCUM"),
            obx("29463-7^Body weight^LN", "154", "lb"),
            obx(loinc, "16", "kPa"),
            obx(SPO2, "101", PERCENT),
            obx(HEART_RATE, "-999", "bpm"),
            obx(HEART_RATE, "80", "mmHg"),
            obx("8867-4^Heart rate^LN", "72", "bpm"),
        ),
    )
    assert answer["MSA"][0][1] == "AE"
    told = [(error[2], error[3].split("^")[0], error[4]) for error in answer["ERR"]]
    assert told == [("OBX^4^5", "102", "E"), ("OBX^5^5", "102", "E"), ("OBX^6^5", "102", "E")]
    assert await values(ctx, "temperature") == [37.0]
    assert await values(ctx, "weight") == [69.85]
    assert await values(ctx, "systolic") == [120]
    assert await values(ctx, "heart-rate") == [72]
    assert not any("999" in field for error in answer["ERR"] for field in error)
    assert (await events(ctx))["interface-refused"].device == "ward"


async def test_the_same_message_again_is_answered_the_same_and_kept_once(ctx: Ctx, database: Database) -> None:
    message = oru(obx(), obx(SPO2, "97", PERCENT))
    first = await sent(ctx, message)
    assert await sent(ctx, message) == first
    assert await rows(database, "select count(*) from monitoring.pack") == [(1,)]
    # The same number for another message is neither taken nor answered AA.
    answer = await one(ctx, oru(obx(value="90")))
    assert (answer["MSA"][0][1], answer["ERR"][0][3].split("^")[0]) == ("AE", "205")
    assert await values(ctx, "heart-rate") == [80]
    assert (await events(ctx))["interface-reused"].count == 1


async def test_one_message_on_two_connections_at_once_is_kept_once(ctx: Ctx, database: Database) -> None:
    message = oru()
    both = await asyncio.gather(*(sent(ctx, message) for _ in range(4)))
    assert all(answers == both[0] for answers in both)
    assert await rows(database, "select sum(cardinality(value)) from monitoring.pack") == [(1,)]


async def test_the_results_sent_again_under_another_number_are_repeats(ctx: Ctx, database: Database) -> None:
    await sent(ctx, oru())
    assert codes(await sent(ctx, oru(head=msh("m2")))) == ["AA"]
    assert await rows(database, "select sum(cardinality(value)) from monitoring.pack") == [(1,)]


async def test_a_refused_message_may_be_put_right_under_its_number(ctx: Ctx) -> None:
    assert codes(await sent(ctx, oru(obx(unit="")))) == ["AE"]
    assert codes(await sent(ctx, oru(obx()))) == ["AA"]


@pytest.mark.parametrize(
    ("head", "code", "condition"),
    [
        (msh(type_="ADT^A01"), "AR", "200"),
        (msh(type_="ORU^R30"), "AR", "201"),
        (msh(processing="T"), "AR", "202"),
        (msh(version="3.0"), "AR", "203"),
        (msh(version="2.2"), "AR", "203"),
        (msh(""), "AE", "101"),
        (msh(charset="BIG-5"), "AE", "103"),
        (msh(application="OTHER"), "AR", "207"),
    ],
)
async def test_what_is_not_taken_says_why(ctx: Ctx, head: str, code: str, condition: str) -> None:
    answer = await one(ctx, oru(head=head))
    assert answer["MSA"][0][1] == code
    assert condition in "|".join(answer["ERR"][0])
    assert await values(ctx, "heart-rate") == []


async def test_a_stranger_is_rejected_by_address_too(ctx: Ctx) -> None:
    assert codes(await sent(ctx, oru(), "10.9.9.9")) == ["AR"]
    assert codes(await sent(ctx, b"GET / HTTP/1.1\r\n", "10.9.9.9")) == ["AR"]
    found = (await events(ctx))["interface-stranger"]
    assert (found.device, found.count, found.detail["host"]) == ("10.9.9.9", 2, "10.9.9.9")


async def test_enhanced_mode(ctx: Ctx) -> None:
    assert codes(await sent(ctx, oru(head=msh("e1", acks="AL|NE")))) == ["CA"]
    first, second = await sent(ctx, oru(obx(value="81"), head=msh("e2", acks="AL|AL"), obr="OBR|1"))
    assert codes([first, second]) == ["CA", "AA"]
    assert fields(second)["MSA"][0][2] == "e2"
    assert fields(first)["MSH"][0][9] != fields(second)["MSH"][0][9]
    assert await sent(ctx, oru(head=msh("e3", acks="NE|NE"))) == []
    assert await sent(ctx, oru(head=msh("e4", acks="ER|ER"))) == []
    assert codes(await sent(ctx, oru(obx(unit=""), head=msh("e5", acks="ER|NE")))) == ["CE"]
    assert codes(await sent(ctx, oru(head=msh("e6", acks="AL|AL", processing="T")))) == ["CR"]
    partly = oru(obx(at="20261121120100+0000"), obx(SPO2, "97", ""), head=msh("e7", acks="AL|AL"))
    assert codes(await sent(ctx, partly)) == ["CA", "AE"]


async def test_an_old_version_gets_its_own_err(ctx: Ctx) -> None:
    answer = await one(ctx, oru(obx(unit=""), head=msh(version="2.3", type_="ORU^R01")))
    assert answer["ERR"][0][1] == "OBX^1^6^101&Required field missing&HL70357"
    assert answer["MSH"][0][8] == "ACK"


async def test_a_correction_supersedes_and_stays_in_the_history(ctx: Ctx) -> None:
    await sent(ctx, oru(obx(value="180")))
    corrected = oru(obx(value="80", status="C"), head=msh("m2"))
    assert codes(await sent(ctx, corrected)) == ["AA"]
    assert await values(ctx, "heart-rate") == [80]
    assert await withdrawn(ctx, "heart-rate") == [180]
    async with access.work(ctx, "looked") as inner:
        (latest,) = [x for x in (await monitoring.latest(inner, ["p1"]))["p1"] if x.metric == "heart-rate"]
        page = await records.search(inner, "Observation", [("patient", "p1"), ("status", "entered-in-error")])
    assert latest.value == 80
    assert [found["valueQuantity"]["value"] for found in page.entries] == [180]
    # Again, then once more corrected.
    assert codes(await sent(ctx, oru(obx(value="80", status="C"), head=msh("m3")))) == ["AA"]
    assert codes(await sent(ctx, oru(obx(value="85", status="C"), head=msh("m4")))) == ["AA"]
    assert await values(ctx, "heart-rate") == [85]
    assert await withdrawn(ctx, "heart-rate") == [180, 80]


async def test_what_has_gone_into_a_chunk_is_corrected_and_repeated_too(ctx: Ctx, clock: TurnableClock) -> None:
    await sent(ctx, oru(obx(SYSTOLIC, "210", MMHG), obx(DIASTOLIC, "80", MMHG)))
    clock.turn(timedelta(days=3))
    async with access.work(ctx, "compacted") as inner:
        assert await compact(inner) == 2
    assert codes(await sent(ctx, oru(obx(SYSTOLIC, "210", MMHG), head=msh("m2")))) == ["AA"]
    assert codes(await sent(ctx, oru(obx(SYSTOLIC, "120", MMHG, status="C"), head=msh("m3")))) == ["AA"]
    assert [await values(ctx, name) for name in ("systolic", "diastolic")] == [[120], [80]]
    assert [await withdrawn(ctx, name) for name in ("systolic", "diastolic")] == [[210], [80]]


async def test_corrections_at_once_on_two_connections_leave_one_value(ctx: Ctx, database: Database) -> None:
    await sent(ctx, oru(obx(value="180")))
    many = [oru(obx(value=str(80 + n), status="C"), head=msh(f"c{n}")) for n in range(4)]
    answers = await asyncio.gather(*(sent(ctx, message) for message in many))
    assert [codes(each) for each in answers] == [["AA"]] * 4
    (left,) = await values(ctx, "heart-rate")
    assert {left, *await withdrawn(ctx, "heart-rate")} == {180, 80, 81, 82, 83}
    assert await rows(database, "select count(*) from monitoring.conflict") == [(0,)]


async def test_a_corrected_systolic_keeps_its_diastolic(ctx: Ctx) -> None:
    await sent(ctx, oru(obx(SYSTOLIC, "210", MMHG), obx(DIASTOLIC, "80", MMHG), obx(MEAN, "95", MMHG)))
    assert codes(await sent(ctx, oru(obx(SYSTOLIC, "120", MMHG, status="C"), head=msh("m2")))) == ["AA"]
    assert [await values(ctx, name) for name in ("systolic", "diastolic", "mean-pressure")] == [[120], [80], [95]]
    # What cannot stand beside the rest is not taken, and nothing is withdrawn for it.
    assert codes(await sent(ctx, oru(obx(SYSTOLIC, "70", MMHG, status="C"), head=msh("m3")))) == ["AE"]
    assert await values(ctx, "systolic") == [120]


@pytest.mark.parametrize("status", ["D", "W"])
async def test_a_deleted_result_is_withdrawn_and_an_old_copy_does_not_bring_it_back(ctx: Ctx, status: str) -> None:
    await sent(ctx, oru(obx(), obx(SPO2, "97", PERCENT)))
    assert codes(await sent(ctx, oru(obx(value="", status=status), head=msh("m2")))) == ["AA"]
    assert await values(ctx, "heart-rate") == []
    assert await values(ctx, "spo2") == [97]
    answer = await one(ctx, oru(head=msh("m3")))
    assert (answer["MSA"][0][1], answer["ERR"][0][3].split("^")[0]) == ("AE", "204")
    assert await values(ctx, "heart-rate") == []
    assert codes(await sent(ctx, oru(obx(value="82", status="C"), head=msh("m4")))) == ["AA"]
    assert await values(ctx, "heart-rate") == [82]


async def test_what_was_never_sent_cannot_be_taken_back(ctx: Ctx) -> None:
    answer = await one(ctx, oru(obx(value="", status="D")))
    assert (answer["MSA"][0][1], answer["ERR"][0][2]) == ("AE", "OBX^1^3")


async def test_a_preliminary_result_gives_way_to_the_final_one(ctx: Ctx) -> None:
    await sent(ctx, oru(obx(value="70", status="P")))
    assert await values(ctx, "heart-rate") == [70]
    assert codes(await sent(ctx, oru(obx(value="75"), head=msh("m2")))) == ["AA"]
    assert await values(ctx, "heart-rate") == [75]
    # Final is final: another value is a conflict, kept beside it, and no correction.
    assert codes(await sent(ctx, oru(obx(value="99"), head=msh("m3")))) == ["AA"]
    assert await values(ctx, "heart-rate") == [75]
    async with access.work(ctx, "looked") as inner:
        assert [found.other for found in await monitoring.conflicts(inner, "p1")] == [99]


@pytest.mark.parametrize(
    ("pid", "where"),
    [
        ("PID|||4711^^^WARD^MR||Quist^Ada||19500103", "PID^1^7"),
        ("PID|||4711^^^WARD^MR||Quist^Ida||19500102", "PID^1^5"),
        ("PID|||4711^^^WARD^MR||Okafor^Ada||19500102", "PID^1^5"),
        ("PID|||||Quist^Ada||19500102", "PID^1^3"),
        ("PID|||4711^^^OTHER^MR||Quist^Ada||19500102", "PID^1^3"),
    ],
)
async def test_a_pid_that_contradicts_charts_nothing(ctx: Ctx, database: Database, pid: str, where: str) -> None:
    answer = await one(ctx, oru(pid=pid))
    assert (answer["MSA"][0][1], answer["ERR"][0][2]) == ("AE", where)
    assert await rows(database, "select count(*) from monitoring.pack") == [(0,)]
    if where != "PID^1^3":
        assert (await events(ctx))["interface-patient"].patient == "p1"


@pytest.mark.parametrize("name", ["QUIST^ADA^MARIA", "Quist^A", "", "^^^^^^S", "Квист^Ада", "Quist-Berg^Ada"])
async def test_names_that_may_be_the_patient_do_not_stand_in_the_way(ctx: Ctx, name: str) -> None:
    assert codes(await sent(ctx, oru(pid=f"PID|||4711^^^WARD^MR||{name}||"))) == ["AA"]


async def test_an_unknown_patients_readings_wait_and_are_theirs_once_they_are_known(ctx: Ctx) -> None:
    unknown = "PID|||9001^^^WARD^MR||Fresh^Eva||19800101"
    answer = await one(ctx, oru(pid=unknown))
    assert (answer["MSA"][0][1], answer["ERR"][0][4]) == ("AA", "W")
    assert codes(await sent(ctx, oru(obx(value="", status="D"), head=msh("m2"), pid=unknown))) == ["AE"]
    told = await events(ctx)
    assert told["interface-waiting"].detail["why"] == "ward, MON: a number that ends in 9001"
    assert told["unassigned"].count == 1
    async with access.work(ctx, "admitted") as inner:
        await records.create(inner, patient("p9", "9001", "Fresh", "Eva", "1980-01-01"), id="p9")
    next_one = oru(obx(at="20261121120100+0000", value="90"), head=msh("m3"), pid=unknown)
    assert codes(await sent(ctx, next_one)) == ["AA"]
    assert await values(ctx, "heart-rate", "p9") == [80, 90]


async def test_what_a_person_gave_to_somebody_stays_theirs(ctx: Ctx, database: Database) -> None:
    unknown = "PID|||9001^^^WARD^MR"
    await sent(ctx, oru(pid=unknown))
    ((device,),) = await rows(database, "select device from exchange.source")
    async with access.work(ctx, "gave the device") as inner:
        assert await monitoring.assign_device(inner, str(device), "p3", since=EVER[0]) == 1
        await records.create(inner, patient("p9", "9001", "Fresh", "Eva", "1980-01-01"), id="p9")
    assert codes(await sent(ctx, oru(obx(value="90"), head=msh("m2"), pid=unknown))) == ["AA"]
    assert await values(ctx, "heart-rate", "p3") == [80]
    assert await values(ctx, "heart-rate", "p9") == [90]


async def test_a_monitor_that_staff_gave_to_another_charts_nothing_for_them(ctx: Ctx, database: Database) -> None:
    await sent(ctx, oru())
    ((device,),) = await rows(database, "select device from exchange.source")
    async with access.work(ctx, "gave the device to somebody else") as inner:
        await monitoring.assign_device(inner, str(device), "p3", since=AT + timedelta(seconds=30))
    later = obx(value="81", at="20261121120100+0000")
    answer = await one(ctx, oru(later, obx(SPO2, "97", PERCENT), head=msh("m2")))
    assert (answer["MSA"][0][1], answer["ERR"][0][2]) == ("AE", "OBX^1^18")
    assert await values(ctx, "heart-rate", "p3") == []
    assert await values(ctx, "spo2") == [97]
    # Taken back from everybody: it waits until somebody says whose it is.
    async with access.work(ctx, "took it back") as inner:
        await monitoring.assign_device(inner, str(device), None, since=AT + timedelta(seconds=30, microseconds=1))
    assert codes(await sent(ctx, oru(later, head=msh("m3")))) == ["AA"]
    assert await values(ctx, "heart-rate") == [80]
    assert await rows(database, "select count(*) from monitoring.pack where patient is null") == [(1,)]


async def test_what_a_revoked_device_sends_is_not_acknowledged(ctx: Ctx, database: Database) -> None:
    await sent(ctx, oru())
    ((device,),) = await rows(database, "select device from exchange.source")
    async with access.work(ctx, "revoked") as inner:
        await monitoring.revoke_device(inner, str(device))
    later = [obx(code, value, unit, at="20261121120100+0000") for code, value, unit in CODES]
    answer = await one(ctx, oru(*later, head=msh("m2")))
    assert answer["MSA"][0][1] == "AE"
    assert [error[2] for error in answer["ERR"]] == ["OBX^1^5", "OBX^2^5"]


async def test_a_correction_that_cannot_land_withdraws_nothing(ctx: Ctx, database: Database) -> None:
    minute = "20261121120100+0000"
    await sent(ctx, oru(obx(), obx(value="180", at=minute)))
    assert codes(await sent(ctx, oru(obx(value="85", status="C"), head=msh("m2")))) == ["AA"]
    ((device,),) = await rows(database, "select device from exchange.source where revision = 1")
    async with access.work(ctx, "revoked what corrections land under") as inner:
        await monitoring.revoke_device(inner, str(device))
    answer = await one(ctx, oru(obx(value="80", status="C", at=minute), head=msh("m3")))
    assert (answer["MSA"][0][1], answer["ERR"][0][2]) == ("AE", "OBX^1^5")
    assert await values(ctx, "heart-rate") == [85, 180]


async def test_a_number_that_two_have_and_a_merged_record_wait(ctx: Ctx) -> None:
    async with access.work(ctx, "added") as inner:
        await records.create(inner, patient("p8", "693317", "Okafor", "Chidi", "1971-05-06"), id="p8")
    two = await one(ctx, oru(pid="PID|||693317^^^WARD"))
    assert (two["MSA"][0][1], two["ERR"][0][4]) == ("AA", "W")
    assert await values(ctx, "heart-rate", "p3") == []
    async with access.work(ctx, "merged") as inner:
        gone = {**patient("p2", "582206", "Quist", "Ida", "1950-01-02")}
        gone["link"] = [{"other": {"reference": "Patient/p1"}, "type": "replaced-by"}]
        await records.update(inner, gone)
    merged = await one(ctx, oru(head=msh("m2"), pid="PID|||582206^^^WARD"))
    assert (merged["MSA"][0][1], merged["ERR"][0][4]) == ("AA", "W")
    assert await values(ctx, "heart-rate", "p2") == await values(ctx, "heart-rate", "p1") == []


async def test_two_identifiers_of_two_patients_wait(ctx: Ctx) -> None:
    answer = await one(ctx, oru(pid="PID|||4711^^^WARD~693317^^^WARD"))
    assert answer["ERR"][0][2:5:2] == ["PID^1^3", "W"]
    assert await values(ctx, "heart-rate") == []


async def test_each_monitor_and_place_is_a_device_of_its_own(ctx: Ctx, database: Database) -> None:
    arterial = "150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC"
    tree = "OBX|1||69965^MDC_DEV_MON^MDC|2.0.0.0|||||||R|||||||MON-7^ACME"
    await sent(
        ctx,
        oru(
            obx(),
            obx(device="BED3^ACME", value="81"),
            tree,
            obx(place="2.1.1.1", value="82"),
            obx(SYSTOLIC, "120", MMHG),
            obx(arterial, "118", MMHG),
        ),
    )
    assert sorted(await values(ctx, "heart-rate")) == [80, 81, 82]
    assert sorted(await values(ctx, "systolic")) == [118, 120]
    found = await rows(database, "select monitor, site from exchange.source order by 1, 2")
    assert found == [("BED3^ACME", ""), ("MON", ""), ("MON", "arterial line"), ("MON-7^ACME", "")]
    assert await values(ctx, "heart-rate", "p2") == []


@pytest.mark.parametrize(("kind", "watched"), [("interface", 0), ("monitor", 1)])
async def test_only_what_is_sent_without_pause_is_watched_for_silence(
    ctx: Ctx, database: Database, kind: str, watched: int
) -> None:
    async with access.work(ctx, "added") as inner:
        wish = exchange.NewInterface("other", "OTHER", "ICU", {"WARD": SYSTEM}, kind=kind)
        await exchange.add_interface(inner, wish)
    head = {"application": "OTHER"}
    arterial = obx("150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC", "118", MMHG)
    assert codes(await sent(ctx, oru(obx(value="180"), arterial, head=msh("s1", **head)))) == ["AA"]
    assert codes(await sent(ctx, oru(obx(status="C"), head=msh("s2", **head)))) == ["AA"]
    timers = "select count(*) from monitoring.timer where kind = 'silence' and done_at is null"
    assert await rows(database, timers) == [(watched,)]


async def test_codes_that_are_not_charted_are_told_and_are_no_error_beside_others(ctx: Ctx) -> None:
    other = obx("718-7^Hemoglobin^LN", "9", "g/dL")
    answer = await one(ctx, oru(obx(), other, obx("X1^thing^99LOCAL")))
    assert answer["MSA"][0][1] == "AA"
    assert [error[4] for error in answer["ERR"]] == ["W", "W"]
    alone = await one(ctx, oru(other, head=msh("m2")))
    assert alone["MSA"][0][1] == "AE"
    assert (await events(ctx))["interface-uncharted"].routine


async def test_the_zone_rule(ctx: Ctx, clock: TurnableClock) -> None:
    clock.turn(timedelta(0))
    bare = "20261121130000"  # Madrid is an hour ahead of UTC then
    await sent(ctx, oru(obx(at=bare), head=msh("z1", time=bare)))
    await sent(ctx, oru(obx(at="20261121120100", value="81"), head=msh("z2", time="20261121120100+0000")))
    await sent(ctx, oru(obx(at="", value="82"), head=msh("z3"), obr="OBR|1||||||20261121120200+0000"))
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, "p1", "heart-rate", *EVER)
    assert [(point.device_time - AT, point.value) for point in found.points] == [
        (timedelta(minutes=n), value) for n, value in enumerate((80, 81, 82))
    ]


async def test_one_audit_entry_a_message(ctx: Ctx, database: Database) -> None:
    before = len(await rows(database, "select 1 from access.audit"))
    await sent(ctx, oru(obx(), obx(SPO2, "97", PERCENT)))
    async with access.work(ctx, "looked") as inner:
        line = (await access.who_looked(inner, "p1"))[0]
    assert line.action == "took in measurements that another system sent"
    assert (line.actor_name, line.outcome) == ("HL7 interface ward", "allowed")
    assert len(await rows(database, "select 1 from access.audit")) == before + 2


async def test_a_broken_block_is_sent_back(ctx: Ctx) -> None:
    answer = fields((await receive(ctx, Block(oru(), False, "no end of block (0x1C) came"), "127.0.0.1"))[0])
    assert answer["MSA"][0][1:3] == ["AR", "m1"]
    assert await values(ctx, "heart-rate") == []


async def test_without_a_database_nothing_is_acknowledged(ctx: Ctx) -> None:
    await ctx.database.close()
    answer = fields((await sent(ctx, oru()))[0])
    assert answer["MSA"][0][1:3] == ["AR", "m1"]
    assert answer["ERR"][0][3].startswith("207^")


async def test_interfaces_are_checked_listed_and_ended(ctx: Ctx) -> None:
    async with access.work(ctx, "asked") as inner:
        for change in (
            {"zone": "Mars/Olympus"},
            {"addresses": ("10.0.0.0/33",)},
            {"authorities": {}},
            {"name": "a b"},
            {"kind": "toaster"},
        ):
            wish = {"name": "lab", "application": "LAB", "facility": "", "authorities": {"": SYSTEM}, **change}
            with pytest.raises(Invalid):
                await exchange.add_interface(inner, exchange.NewInterface(**wish))  # type: ignore[arg-type]
        with pytest.raises(Conflict):
            await exchange.add_interface(inner, exchange.NewInterface("other", "MON", "ICU", {"": SYSTEM}))
    await sent(ctx, oru())
    async with access.work(ctx, "looked") as inner:
        assert [(found.name, found.last_at) for found in await exchange.interfaces(inner)] == [("ward", AT)]
        await exchange.end_interface(inner, "ward")
    assert codes(await sent(ctx, oru(head=msh("m2")))) == ["AR"]


async def test_latin_1_and_escapes(ctx: Ctx) -> None:
    async with access.work(ctx, "added") as inner:
        await records.create(inner, patient("p7", "7&1", "Núñez", "Iñaki", "1990-01-01"), id="p7")
    head = msh(charset="8859/1")
    message = oru(head=head, pid="PID|||7\\T\\1^^^WARD||Núñez^I\\XF1\\aki||19900101").decode()
    assert codes(await sent(ctx, message.encode("latin-1"))) == ["AA"]
    assert await values(ctx, "heart-rate", "p7") == [80]
    assert codes(await sent(ctx, oru(head=msh("m2"), pid=PID.replace("Ada", "Ad\xe4")).decode().encode("latin-1"))) == [
        "AE"
    ]
