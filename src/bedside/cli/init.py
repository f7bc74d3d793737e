"""`bedside init`: a real clinic says who it is, and its first administrator comes in."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, from_file, plain_errors, site

if TYPE_CHECKING:
    from bedside.app import Founded
    from bedside.foundation.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, is_eager=True, callback=from_file, help="A TOML file of these options."),
]


@dataclass(frozen=True, slots=True)
class Question:
    """option: as on the command line. proposed: what Enter answers, from what was said before."""

    option: str
    asks: str
    check: Callable[[str], str]
    proposed: Callable[[dict[str, str]], str | None]


@cli.command("init")
def init(
    home: HomeOption = HOME,
    config: ConfigOption = None,
    name: Annotated[str | None, typer.Option(help="The clinic's name, at the head of every page.")] = None,
    country: Annotated[str | None, typer.Option(help="Where it is established, in two letters: ES, US.")] = None,
    zone: Annotated[str | None, typer.Option(help="Its time zone: Europe/Madrid.")] = None,
    language: Annotated[str | None, typer.Option(help="en or es: for who has chosen none.")] = None,
    units: Annotated[str | None, typer.Option(help="metric or us: for who has chosen none.")] = None,
    telephone: Annotated[str | None, typer.Option(help="At the foot of every page.")] = None,
    emergency: Annotated[str | None, typer.Option(help="The place's emergency number, as dialled: 112.")] = None,
    admin_name: Annotated[str | None, typer.Option(help="The first administrator's name.")] = None,
    admin_email: Annotated[str | None, typer.Option(help="Their e-mail, also the name to sign in with.")] = None,
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers will reach it: https://…")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: what is not given is proposed or refused.")] = False,
    link_again: Annotated[
        bool, typer.Option("--link-again", help="Only make the first administrator's link anew.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; with --yes or --link-again.")] = False,
    database_url: DatabaseOption = None,
) -> None:
    """Set up a real clinic: its name, place, units and numbers, and its first administrator's one-time link."""
    import asyncio
    from dataclasses import replace

    if as_json and not (yes or link_again):
        raise typer.BadParameter("--json asks nothing: give --yes and every option that has no proposal.")
    given = {
        "name": name,
        "country": country,
        "zone": zone,
        "language": language,
        "units": units,
        "telephone": telephone,
        "emergency": emergency,
        "admin_name": admin_name,
        "admin_email": admin_email,
        "public_url": public_url,
    }
    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import lay, reach

        place = _whole(home, database_url, again=link_again)
        if link_again:
            with reach(place, database_url) as settings:
                address = _checks()["public_url"](public_url) if public_url else settings.public_url
                made = asyncio.run(app.link_again(replace(settings, public_url=address)))
            _told(made, None, home, as_json=as_json)
            return
        answers = _answers(given, ask=not yes)
        if not yes:
            _summary(answers)
            typer.confirm("Is all of this right? It is written now", default=True, abort=True)
        from bedside import access

        said = access.clinics.read(answers)
        with lay(place, database_url) as settings:
            reached: Settings = replace(settings, public_url=answers["public_url"])
            made = asyncio.run(app.found(reached, said, answers["admin_name"], answers["admin_email"]))
    _told(made, _serve(home, database_url, answers["public_url"]), home, as_json=as_json)


def _whole(home: Path, database_url: str | None, *, again: bool) -> Path:
    """The home, once it is sure that it may be used: refused are a demo's, and one whose clinic is known already
    (that is asked again when it is written). Nothing is made here."""
    import asyncio

    from bedside import app
    from bedside.foundation.errors import Conflict
    from bedside.foundation.home import Home
    from bedside.foundation.installation import reach

    place = Home(home.absolute())
    place.check(demo=False)
    if again or (not place.postgres.made and database_url is None):
        return place.path
    with reach(place.path, database_url) as settings:
        known = asyncio.run(app.founded(settings))
    if known is not None:
        raise Conflict(
            "%(what)s is %(name)s already.",
            what=str(place.path) if database_url is None else "This database",
            name=known.name,
            remedy="An administrator changes it at /admin/clinic; --link-again makes the first link anew.",
        )
    return place.path


def _checks() -> dict[str, Callable[[str], str]]:
    """How each answer is checked; each raises Invalid."""
    from functools import partial

    from bedside.access import clinics
    from bedside.foundation.errors import Invalid
    from bedside.web.kit.languages import LANGUAGES

    def language(typed: str) -> str:
        code = clinics.checked("language", typed)
        if code not in LANGUAGES:
            raise Invalid(
                "Bedside does not speak this language yet.", remedy="One of: %(languages)s.", languages=tuple(LANGUAGES)
            )
        return code

    def person(typed: str) -> str:
        return clinics.checked("name", typed)

    def email(typed: str) -> str:
        text = typed.strip()
        local, _, host = text.partition("@")
        if not local or "." not in host.strip(".") or " " in text:
            raise Invalid("That is no e-mail address.", remedy="Write it as name@clinic.example.")
        return text

    plain = {field: partial(clinics.checked, field) for field in clinics.FIELDS}
    return {**plain, "language": language, "admin_name": person, "admin_email": email, "public_url": site}


def _questions() -> list[Question]:
    from bedside.access import clinics
    from bedside.web.kit.languages import LANGUAGES

    here = _zone_here()
    spoken = os.environ.get("LANG", "")[:2]
    port = os.environ.get("BEDSIDE_PORT", "8000")
    checks = _checks()
    asked: list[tuple[str, str, Callable[[dict[str, str]], str | None]]] = [
        ("name", "The clinic's name", lambda _: None),
        ("zone", "Time zone", lambda _: here),
        ("country", "Country where it is established, two letters", lambda said: clinics.country_of(said["zone"])),
        ("language", f"Language ({' or '.join(LANGUAGES)})", lambda _: spoken if spoken in LANGUAGES else "en"),
        ("units", "Units (metric or us)", lambda said: "us" if said["country"] == "US" else "metric"),
        ("telephone", "The clinic's telephone", lambda _: None),
        ("emergency", "Emergency number, as dialled", lambda said: clinics.emergency_of(said["country"])),
        ("admin_name", "The first administrator's name", lambda _: None),
        ("admin_email", "Their e-mail address", lambda _: None),
        ("public_url", "How browsers will reach this", lambda _: f"http://localhost:{port}"),
    ]
    return [Question(option, asks, checks[option], proposed) for option, asks, proposed in asked]


def _answers(given: dict[str, str | None], *, ask: bool) -> dict[str, str]:
    """Every answer, checked: what was given, else what is asked, else (--yes) what is proposed. Raises Invalid naming
    every option that is missing or wrong."""
    from bedside.foundation.errors import BedsideError, Invalid

    said: dict[str, str] = {}
    wrong: list[str] = []
    for question in _questions():
        option = f"--{question.option.replace('_', '-')}"
        typed = given[question.option]
        try:
            if typed is not None:
                said[question.option] = question.check(typed)
            elif ask:
                said[question.option] = _asked(question, said)
            else:
                said[question.option] = question.check(question.proposed({"country": "", "zone": "", **said}) or "")
        except BedsideError as error:
            wrong.append(f"{option}: {_one_line(error)}")
    if wrong:
        raise Invalid(
            "Not everything is said as it should be; nothing was written.",
            remedy="%(faults)s",
            faults="\n  ".join(wrong),
        )
    return said


def _asked(question: Question, said: dict[str, str]) -> str:
    """Until the answer is right: what is wrong is told at once."""
    from bedside.foundation.errors import BedsideError

    while True:
        proposed = question.proposed({"country": "", "zone": "", **said})
        typed: str = typer.prompt(question.asks, default=proposed, type=str)
        try:
            return question.check(typed)
        except BedsideError as error:
            typer.secho(f"  {_one_line(error)}", fg=typer.colors.RED)


def _one_line(error: Any) -> str:
    return f"{error.message} {error.remedy or ''}".strip()


def _zone_here() -> str:
    """The zone of this machine, where it says one."""
    from zoneinfo import available_timezones

    named = os.environ.get("TZ") or os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    return named if named in available_timezones() and named != "Etc/UTC" else "UTC"


def _summary(answers: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from bedside.access import clinics

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 2))
    shown = {**answers, "country": f"{answers['country']}, {clinics.countries()[answers['country']]}"}
    for question in _questions():
        table.add_row(question.asks.partition(",")[0].partition(" (")[0], shown[question.option])
    console = Console(highlight=False, markup=False)
    console.print()
    console.print(table)
    console.print()


def _serve(home: Path, database_url: str | None, public_url: str) -> str:
    """The command that comes next, as far as it is known here."""
    parts = ["bedside serve"]
    if database_url is not None:
        parts.append("--database-url … --nats-url …")
    if home != HOME:
        parts.append(f"--home {home}")
    if public_url.startswith("https://"):
        parts.append(f"--public-url {public_url} --tls-cert CERT --tls-key KEY")
    elif not public_url.endswith(":8000"):
        parts.append(f"--port {public_url.rpartition(':')[2]}")
    return " ".join(parts)


def _origin(link: str) -> str:
    """Scheme, name and port of a link."""
    from urllib.parse import urlsplit

    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


def _told(made: Founded, serve: str | None, home: Path, *, as_json: bool) -> None:
    import msgspec
    import orjson

    if as_json:
        clinic = {key: value for key, value in msgspec.structs.asdict(made.clinic).items() if key not in {"n", "at"}}
        found = {"clinic": clinic, "administrator": made.administrator, "link": made.link}
        typer.echo(orjson.dumps({**found, "until": made.until, "serve": serve}).decode())
        return
    if serve is not None:
        typer.secho(f"{made.clinic.name} is set up.", bold=True)
        typer.echo(f"\n1. Start it:\n     {serve}")
        typer.echo("2. Open this link in a browser:")
    else:
        typer.echo("Open this link in a browser; the one before works no longer:")
    typer.secho(f"     {made.link}", bold=True)
    typer.echo(
        f"   {made.administrator} sets up a passkey there, or a password and a second factor: once, within 24 hours.\n"
        "   Whoever has the link can do so: keep it to yourself. A new one:\n"
        f"     bedside init --link-again{'' if home == HOME else f' --home {home}'} --public-url {_origin(made.link)}"
    )
    if serve is not None:
        typer.echo("3. The list of first steps on the page behind it says what comes next.")
