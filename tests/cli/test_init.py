"""`bedside init` as it is typed: from an empty directory to an administrator who is in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pyotp
import pytest
from tests.foundation.program import Program

from bedside.foundation.engines import Postgres

pytestmark = pytest.mark.journey
GIVEN = (
    *("--name", "Clínica Sol", "--zone", "Europe/Madrid", "--telephone", "+34 910 000 000"),
    *("--admin-name", "Pat Morgan", "--admin-email", "pat@sol.example", "--language", "en"),
)
PASSWORD = "four quiet paper boats"


def bedside(*words: str, said: str = "", code: int = 0) -> str:
    """What a command prints, having been told `said` on its standard input."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("BEDSIDE_")}
    done = subprocess.run(
        [sys.executable, "-m", "bedside", *words], input=said, capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    one = Program(tmp_path / "home")
    yield one
    one.end()


def test_from_an_empty_directory_to_an_administrator_who_is_in(program: Program, tmp_path: Path) -> None:
    home = str(program.home)
    address = f"http://localhost:{program.port}"
    answers = ["Clínica Sol", "Mars", "Europe/Madrid", "", "en", "", "call us", "+34 910 000 000", ""]
    answers += ["Pat Morgan", "nobody", "pat@sol.example", "http://clinic.example", address]
    asked = bedside("init", "--home", home, said="\n".join([*answers, "n", ""]), code=1)
    for wrong in ("There is no such time zone", "This is no telephone number", "no e-mail address", "https alone"):
        assert wrong in asked
    assert "[ES]" in asked
    assert "[112]" in asked
    assert not program.home.exists(), "nothing was written before the last word"
    done = bedside("init", "--home", home, said="\n".join([*answers, "y", ""]))
    assert "Clínica Sol is set up." in done
    first = re.search(r"http://localhost:\d+/enter/\S+", done)
    assert first is not None
    assert "Clínica Sol already" in bedside("init", "--home", home, *GIVEN, "--yes", code=1)
    again = orjson.loads(bedside("init", "--home", home, "--link-again", "--public-url", address, "--json"))
    assert again["administrator"] == "Pat Morgan"

    program.start()
    with httpx.Client(base_url=address, headers={"origin": address, "accept": "text/html"}, timeout=60) as client:
        sign_in = client.get("/sign-in").text
        assert "+34 910 000 000" in sign_in
        assert "112" in sign_in
        assert "<title>Sign in · Clínica Sol" in sign_in
        assert client.get(first[0].removeprefix(address)).status_code == 410, "the one before works no longer"
        link = again["link"].removeprefix(address)
        assert client.get(link).status_code == 200
        step = client.post(link, data={"password": PASSWORD, "again": PASSWORD})
        assert step.status_code == 200, step.text
        ticket = re.search(r'name="ticket" value="([^"]+)"', step.text)
        secret = re.search(r"[A-Z2-7]{32}", re.sub(r"\s|<[^>]*>", "", step.text))
        assert ticket is not None
        assert secret is not None
        code = pyotp.TOTP(secret[0]).now()
        done_ = client.post("/sign-in/app-code", data={"ticket": ticket[1], "code": code, "next": "/"})
        assert done_.status_code == 303, done_.text
        front = client.get("/admin").text
        assert "First steps" in front
        assert "You are the only one here" in front
        assert client.get(link).status_code == 410

        # While it runs, more come in from the command line.
        listed = tmp_path / "staff.csv"
        listed.write_text("name,email,role\nAna Ruiz,ana@sol.example,clinician\nBen,ben,nurse\n")
        told = bedside("person", "import", str(listed), "--home", home, said="n\n", code=1)
        assert "line 3, email: This is no e-mail address." in told
        assert "1 new, 0 here already, 1 wrong." in told
        assert "Ana Ruiz" not in client.get("/admin").text
        taken = orjson.loads(bedside("person", "import", str(listed), "--home", home, "--yes", "--json", code=1))
        assert [one["name"] for one in taken["added"]] == ["Ana Ruiz"]
        assert taken["wrong"][0]["column"] == "email"
        assert client.get(httpx.URL(taken["added"][0]["link"]).path).status_code == 200
        twice = orjson.loads(bedside("person", "import", str(listed), "--home", home, "--yes", "--json", code=1))
        assert (twice["added"], twice["here"]) == ([], 1)
    assert "Every administrator" in bedside("init", "--home", home, "--link-again", code=1)


def test_a_clinic_that_runs_already_can_still_say_who_it_is(program: Program) -> None:
    program.start()
    program.stop()
    assert "bedside init" in program.told()
    home = str(program.home)
    bedside("init", "--home", home, said="\n", code=1)  # broken off at the first question
    program.start()
    address = f"http://localhost:{program.port}"
    with httpx.Client(base_url=address, headers={"accept": "text/html"}, timeout=60) as client:
        assert "not given yet" in client.get("/help").text
        made = orjson.loads(bedside("init", "--home", home, *GIVEN, "--yes", "--json", "--public-url", address))
        until = time.monotonic() + 60
        while "+34 910 000 000" not in client.get("/help").text:
            assert time.monotonic() < until, "a running web process learns it within seconds"
            time.sleep(0.5)
        assert client.get(httpx.URL(made["link"]).path).status_code == 200


def test_what_is_missing_or_wrong_is_said_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    said = bedside("init", "--home", str(home), "--yes", "--emergency", "x", code=1)
    assert "--name: This is missing." in said
    assert "--emergency: This is no number to dial." in said
    assert not home.exists()
    assert bedside("init", "--home", str(home), "--json", code=2)
    assert "There is no Bedside" in bedside("init", "--home", str(home), "--link-again", code=1)


def test_a_demos_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bedside.json").write_text('{"layout": 1, "version": "0.1.0", "demo": true}')
    for more in (("--yes", *GIVEN), ("--link-again",)):
        assert "holds a demo clinic" in bedside("init", "--home", str(tmp_path), *more, code=1)


def test_a_database_that_others_run_and_a_file_of_answers(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(
        'name = "Clínica Sol"\nzone = "Europe/Madrid"\ntelephone = "+34 910 000 000"\nunits = "us"\n'
        'admin-name = "Pat Morgan"\nadmin-email = "pat@sol.example"\npublic-url = "https://sol.example"\n'
    )
    for settings, safe in (({"fsync": "off"}, False), ({}, True)):
        postgres = Postgres(tmp_path / "postgres", settings=settings)
        postgres.start()
        try:
            postgres.create_database()
            words = ("init", "--home", str(tmp_path / "home"), "--config", str(file), "--yes", "--json")
            words += ("--database-url", postgres.dsn())
            if not safe:
                assert "fsync is off" in bedside(*words, code=1)
                continue
            made = orjson.loads(bedside(*words))
            assert made["link"].startswith("https://sol.example/enter/")
            assert (made["clinic"]["units"], made["clinic"]["country"]) == ("us", "ES")
            assert "This database is Clínica Sol already" in bedside(*words, code=1)
            assert not (tmp_path / "home" / "postgres").exists()
        finally:
            postgres.stop()
    file.write_text("shoe = 39\n")
    assert "shoe" in bedside("init", "--config", str(file), "--yes", code=2)
