"""Look after an installation: its database, its NATS, what is wrong, and jobs that wait for a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.command import (
    HOME,
    PORTS,
    DatabaseOption,
    HomeOption,
    NatsOption,
    cli,
    plain_errors,
)
from bedside.cli.served import homes_near, served

if TYPE_CHECKING:
    from bedside.foundation.doctor import Finding


@cli.command("nats-config")
def nats_config(home: HomeOption = HOME) -> None:
    """Print what a NATS that others run needs for Bedside; makes the key that signs for devices, if there is none."""
    with plain_errors():
        import nkeys

        from bedside.foundation import private
        from bedside.foundation.engines.nats import account_seed, for_production
        from bedside.foundation.home import Home

        Home(home.absolute()).mine()
        seed = private.kept(home.absolute() / "keys" / "callout.nk", account_seed)
        typer.echo(for_production(nkeys.from_seed(bytearray(seed.encode())).public_key.decode()), nl=False)


@cli.command()
def doctor(
    home: HomeOption = HOME,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The TOML file of serve: else the one it was started with last."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the web; else serve's.", **PORTS)] = None,
    mqtt_port: Annotated[int | None, typer.Option("--mqtt-port", help="Port of MQTT; else serve's.", **PORTS)] = None,
    database_url: DatabaseOption = None,
    nats_url: NatsOption = None,
    send_test: Annotated[
        str | None,
        typer.Option("--send-test", metavar="ADDRESS", help="Only send a notice there now, and say what came of it."),
    ] = None,
) -> None:
    """Check this machine and the installation, and say in plain words what is wrong. Exit code 1 if something is.

    Addresses, ports and certificates are those of the running program; where none runs, those that `serve` would start
    with: its file and options of the newest start of that home.

    --send-test you@example.org, or a number as +34600000000: through BEDSIDE_SMTP_URL or BEDSIDE_SMS_URL as they stand
    in this environment.
    """
    import asyncio

    from rich.console import Console

    from bedside.foundation import doctor as doctor_
    from bedside.foundation.errors import BedsideError
    from bedside.foundation.home import Home
    from bedside.foundation.installation import reach, told

    out = Console(highlight=False, soft_wrap=True)
    marks = {"good": "[green]  ok  [/]", "note": "[yellow] note [/]", "bad": "[red bold] BAD  [/]"}
    bad = 0

    def show(finding: doctor_.Finding) -> None:
        nonlocal bad
        bad += finding.state == "bad"
        out.print(marks[finding.state], finding.what, finding.remedy, sep=" ", markup=True)

    if send_test is not None:
        from bedside.app import try_notice

        for finding in asyncio.run(try_notice(send_test.strip())):
            show(finding)
        raise typer.Exit(1 if bad else 0)
    place = Home(home.absolute())
    with plain_errors():
        place.mine()
    running, asked, made = place.running(), None, None
    try:
        made = place.made()
        demo = bool((made or {}).get("demo"))
        asked = served(demo, place.remembered(), config, {"--port": port, "--mqtt-port": mqtt_port})
    except BedsideError:
        pass  # what ails the home itself is told below, in its place
    except typer.TyperException as error:
        why = getattr(error, "format_message", error.__str__)()
        show(doctor_.bad("It would not start so: %(why)s", "Mend that first.", why=why))
    doors = {} if asked is None else asked.doors
    if asked is not None:
        database_url, nats_url = database_url or asked.database_url, nats_url or asked.nats_url
        if asked.source is not None and not running:
            out.print(f"Ports, addresses and certificates as in {asked.source}.")
    if running:
        doors = {
            option: (running.get(f"{name}host") or "127.0.0.1", running[f"{name}port"])
            for option, name in (("--port", ""), ("--mqtt-port", "mqtt_"), ("--mllp-port", "mllp_"))
            if running.get(f"{name}port")
        }
    if nats_url is not None or (running and running.get("nats_port") is None):
        doors.pop("--mqtt-port", None)  # devices come in where that NATS listens
    out.print("[bold]This machine[/]")
    for finding in doctor_.machine(place.path, doors, running=bool(running)):
        show(finding)
    try:
        place.whole()
        made = place.made()
        if made is None and (database_url is None or not (place.path / "keys").is_dir()):
            show(_no_home(place.path))
        else:
            out.print(f"[bold]The installation in {place.path}[/]" + ("" if running else " (it does not run now)"))
            with reach(place.path, database_url, nats_url) as settings:
                from bedside.app import look_at_notices, verify_audit

                engines = asyncio.run(doctor_.installation(settings, place))
                for finding in (*engines, asyncio.run(doctor_.bus_outside(settings))):
                    show(finding)
                # Of a database that does not answer or is not up to date nothing can be asked.
                if all(finding.state != "bad" for finding in engines):
                    for finding in asyncio.run(look_at_notices(settings)):
                        show(finding)
                if asked is not None and asked.tls and not running:
                    found = doctor_.certificate_to_come(asked.tls)
                else:
                    found = doctor_.certificate(running or {})
                for finding in found:
                    show(finding)
                for finding in doctor_.backups(place, running=bool(running), own=database_url is None):
                    show(finding)
                for finding in doctor_.downtime(place, running=bool(running)):
                    show(finding)
                show(_scanning())
                if not bad:
                    report = asyncio.run(verify_audit(settings, lambda _: None))
                    whole = doctor_.good("The audit is whole (%(entries)s entries).", entries=report.entries)
                    faults = [doctor_.bad("The audit is not whole: %(why)s", why=each) for each in report.problems]
                    for finding in faults or [whole]:
                        show(finding)
    except BedsideError as error:
        bad += 1
        out.print(marks["bad"], told(error).removeprefix("Error: "), markup=True)
    if made is not None and home != HOME:
        out.print(f"Each line with bedside is typed with this at its end: --home {place.path}")
    if bad:
        raise typer.Exit(1)


def _no_home(path: Path) -> Finding:
    """A mistyped home, or one before its first day: what to type."""
    from bedside.foundation.doctor import bad

    what = "There is no home of Bedside in %(home)s."
    if near := homes_near(path):
        lines = " or ".join(f"bedside doctor --home {one}" for one in near)
        return bad(what, "Type: %(lines)s", home=str(path), lines=lines)
    remedy = "Type: bedside doctor --home HOME (the folder that bedside serve is started with)."
    if not path.exists():
        remedy += " A new clinic begins with: bedside init --home %(home)s"
    return bad(what, remedy, home=str(path))


def _scanning() -> Finding:
    """Whether anything looks at files before they are kept."""
    from bedside import records
    from bedside.foundation.doctor import good, note

    if names := records.scanners():
        return good("Files are looked at before they are kept: %(names)s.", names=", ".join(names))
    what = "No virus scan is configured: files that are sent in are kept unseen."
    return note(what, "Register one with records.scan_by (docs/bulk.md).")


jobs = typer.Typer(no_args_is_help=True, help="Jobs that failed for good and wait for a person.")
cli.add_typer(jobs, name="jobs")


@jobs.command("parked")
def jobs_parked(home: HomeOption = HOME, database_url: DatabaseOption = None) -> None:
    """List them."""
    import asyncio

    with plain_errors():
        from bedside.app import parked_jobs
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            for each in asyncio.run(parked_jobs(settings)):
                typer.echo(f"{each.id}\t{each.asked:%Y-%m-%d %H:%M:%S} UTC\t{each.name}\t{each.why}")


@jobs.command("release")
def jobs_release(
    ids: Annotated[list[int], typer.Argument(help="Their numbers, as `bedside jobs parked` lists them.")],
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Try them again from the start."""
    import asyncio

    with plain_errors():
        from bedside.app import release_jobs
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            asyncio.run(release_jobs(settings, ids))
