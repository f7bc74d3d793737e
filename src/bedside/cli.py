"""The `bedside` command: every subcommand in one place, each only asking app for what it runs."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from bedside.foundation.doctor import Finding

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="BEDSIDE_HOME", help="The directory that holds everything.", show_default=True)
]
PortOption = Annotated[int, typer.Option("--port", envvar="BEDSIDE_PORT", help="Port of the web.")]
MqttPortOption = Annotated[int, typer.Option("--mqtt-port", envvar="BEDSIDE_MQTT_PORT", help="Port of MQTT.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database-url", envvar="BEDSIDE_DATABASE_URL", help="A PostgreSQL that others run.", metavar="URL"),
]
NatsOption = Annotated[
    str | None, typer.Option("--nats-url", envvar="BEDSIDE_NATS_URL", help="A NATS that others run.", metavar="URL")
]
HOME = Path(".bedside")


@cli.callback()
def bedside() -> None:
    """Bedside: video visits, monitoring and one FHIR record, on your own machine."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """A refusal is one sentence and its remedy, and exit code 1."""
    from bedside.foundation.errors import BedsideError
    from bedside.foundation.installation import told

    try:
        yield
    except BedsideError as error:
        typer.echo(told(error), err=True)
        raise typer.Exit(1) from None


def _run(demo: bool, home: Path, **choices: Any) -> None:
    # Before anything imports prometheus_client: the processes of this home share their counters.
    metrics = home.absolute() / "metrics"
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    from bedside.foundation.installation import Installation, Program, Wish

    def program() -> Program:
        metrics.mkdir(mode=0o700, parents=True, exist_ok=True)
        from bedside.app import Bedside

        return Bedside()

    with plain_errors():
        Installation(Wish(home, demo, **choices), program, typer.echo).run()


@cli.command()
def demo(
    home: HomeOption = HOME,
    port: PortOption = 8000,
    mqtt_port: MqttPortOption = 1883,
    patients: Annotated[int, typer.Option(envvar="BEDSIDE_PATIENTS", help="How many, at the first start.")] = 40,
    seed: Annotated[int, typer.Option(envvar="BEDSIDE_SEED", help="The same seed makes the same clinic.")] = 1,
    reset: Annotated[bool, typer.Option("--reset", help="Begin anew: forget this demo's clinic.")] = False,
    turn: Annotated[bool, typer.Option("--turn", help="Relay video through a local coturn too.")] = False,
) -> None:
    """Start a living clinic of invented people; stop it with Ctrl-C and start it again where it was."""
    _run(True, home, port=port, mqtt_port=mqtt_port, patients=patients, seed=seed, reset=reset, turn=turn)


def _from_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """The options of a TOML file (`database-url = "…"`) become defaults: the command line and environment win."""
    if path is not None:
        try:
            read = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise typer.BadParameter(f"{path} is not TOML: {error}") from None
        known = {parameter.name for parameter in ctx.command.params}
        named = {name.replace("-", "_"): value for name, value in read.items()}
        if unknown := sorted(set(named) - known):
            raise typer.BadParameter(f"{path} names what serve does not know: {', '.join(unknown)}")
        ctx.default_map = {**(ctx.default_map or {}), **named}
    return path


@cli.command()
def serve(
    home: HomeOption = HOME,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, is_eager=True, callback=_from_file, help="A TOML file of these options."
        ),
    ] = None,
    host: Annotated[str, typer.Option(envvar="BEDSIDE_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: PortOption = 8000,
    mqtt_host: Annotated[str, typer.Option(envvar="BEDSIDE_MQTT_HOST", help="Address of MQTT.")] = "127.0.0.1",
    mqtt_port: MqttPortOption = 1883,
    database_url: DatabaseOption = None,
    nats_url: NatsOption = None,
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers reach it: https://…")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(envvar="BEDSIDE_TLS_CERT", exists=True)] = None,
    tls_key: Annotated[Path | None, typer.Option(envvar="BEDSIDE_TLS_KEY", exists=True)] = None,
    trusted_proxy: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_TRUSTED_PROXY", help="Address of the reverse proxy to believe.")
    ] = None,
    web_only: Annotated[bool, typer.Option("--web-only", help="Leave jobs and readings to other processes.")] = False,
) -> None:
    """Run a real clinic, on the embedded engines or on those that others run."""
    _run(
        False,
        home,
        host=host,
        port=port,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        public_url=public_url,
        database_url=database_url,
        nats_url=nats_url,
        web_only=web_only,
        tls_cert=tls_cert,
        tls_key=tls_key,
        trusted_proxy=trusted_proxy,
    )


@cli.command()
def worker(home: HomeOption = HOME, database_url: DatabaseOption = None, nats_url: NatsOption = None) -> None:
    """Run jobs and timers, beside `bedside serve`, here or on another machine."""
    with plain_errors():
        from bedside.app import Bedside
        from bedside.foundation.installation import reach

        with reach(home, database_url, nats_url) as settings:
            Bedside().worker(settings)


@cli.command()
def ingest(home: HomeOption = HOME, database_url: DatabaseOption = None, nats_url: NatsOption = None) -> None:
    """Take devices' readings, beside `bedside serve`, here or on another machine."""
    with plain_errors():
        from bedside.app import Bedside
        from bedside.foundation.installation import reach

        with reach(home, database_url, nats_url) as settings:
            Bedside().ingest(settings)


@cli.command("migrate")
def migrate_(home: HomeOption = HOME, database_url: DatabaseOption = None) -> None:
    """Bring the database to this version; doing it twice does nothing."""
    import asyncio

    with plain_errors():
        from bedside.foundation.installation import reach
        from bedside.foundation.migrate import migrate

        with reach(home, database_url, None) as settings:
            steps = asyncio.run(migrate(settings.database_url))
    typer.echo(f"{steps} steps taken." if steps else "Already up to date.")


@cli.command("nats-config")
def nats_config(home: HomeOption = HOME) -> None:
    """Print what a NATS that others run needs for Bedside; makes the key that signs for devices, if there is none."""
    with plain_errors():
        import nkeys

        from bedside.foundation import private
        from bedside.foundation.engines.nats import account_seed, for_production

        seed = private.kept(home.absolute() / "keys" / "callout.nk", account_seed)
        typer.echo(for_production(nkeys.from_seed(bytearray(seed.encode())).public_key.decode()), nl=False)


@cli.command()
def doctor(
    home: HomeOption = HOME,
    port: PortOption = 8000,
    mqtt_port: MqttPortOption = 1883,
    database_url: DatabaseOption = None,
    nats_url: NatsOption = None,
) -> None:
    """Check this machine and the installation, and say in plain words what is wrong. Exit code 1 if something is."""
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

    place = Home(home.absolute())
    running = place.running()
    ports = {"--port": port, "--mqtt-port": mqtt_port}
    if running:
        ports = {"--port": running["port"], "--mqtt-port": running["mqtt_port"]}
    out.print("[bold]This machine[/]")
    for finding in doctor_.machine(place.path, ports, running=bool(running)):
        show(finding)
    try:
        made = place.made()
        if made is None and database_url is None:
            out.print(f"There is no Bedside in {place.path} yet.")
        else:
            out.print(f"[bold]The installation in {place.path}[/]" + ("" if running else " (it does not run now)"))
            with reach(place.path, database_url, nats_url) as settings:
                from bedside.app import verify_audit

                for finding in asyncio.run(doctor_.installation(settings, place)):
                    show(finding)
                show(_scanning(doctor_.Finding))
                if not bad:
                    report = asyncio.run(verify_audit(settings, lambda _: None))
                    whole = doctor_.good(f"The audit is whole ({report.entries} entries).")
                    faults = [doctor_.Finding("bad", f"The audit is not whole: {each}") for each in report.problems]
                    for finding in faults or [whole]:
                        show(finding)
    except BedsideError as error:
        bad += 1
        out.print(marks["bad"], told(error).removeprefix("Error: "), markup=True)
    if bad:
        raise typer.Exit(1)


def _scanning(finding: type[Finding]) -> Finding:
    """Whether anything looks at files before they are kept."""
    from bedside import records

    if names := records.scanners():
        return finding("good", f"Files are looked at before they are kept: {', '.join(names)}.")
    what = "No virus scan is configured: files that are sent in are kept unseen."
    return finding("note", what, "Register one with records.scan_by (docs/bulk.md).")


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


client = typer.Typer(no_args_is_help=True, help="Backend clients: programs that use the FHIR interface.")
cli.add_typer(client, name="client")
audit = typer.Typer(no_args_is_help=True, help="The audit: who came near which record.")
cli.add_typer(audit, name="audit")


person = typer.Typer(no_args_is_help=True, help="Who works here.")
cli.add_typer(person, name="person")


@person.command("add")
def person_add(
    name: Annotated[str, typer.Argument(help="As colleagues and patients read it.")],
    email: Annotated[str, typer.Option(help="Where notices go; also the name to sign in with.")],
    role: Annotated[
        str, typer.Option(help="administrator, clinician, nurse, pharmacist or privacy-officer.")
    ] = "administrator",
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers reach it: https://…")
    ] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Add a colleague and print their one-time link: so the first administrator comes in."""
    import asyncio
    from dataclasses import replace

    with plain_errors():
        from bedside.app import add_person
        from bedside.foundation.errors import Invalid
        from bedside.foundation.installation import reach

        if role not in {"administrator", "clinician", "nurse", "pharmacist", "privacy-officer"}:
            raise Invalid("There is no such role.", where=role)
        if "@" not in email:
            raise Invalid("That is no e-mail address.", where=email)
        with reach(home, database_url, None) as settings:
            reached = replace(settings, public_url=public_url) if public_url else settings
            link = asyncio.run(add_person(reached, name, email, role))
    typer.echo(f"{name} sets a password and a second factor here, once, within 7 days:\n{link}")


@client.command("add")
def client_add(
    name: Annotated[str, typer.Argument(help="What it is called in the audit.")],
    scope: Annotated[str, typer.Option(help='SMART scopes, for example "system/*.cruds".')],
    jwks: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Its public keys; then it signs and has no secret.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Register a backend client, valid at once. Its secret is shown this once."""
    import asyncio

    import orjson

    with plain_errors():
        from bedside.app import add_client
        from bedside.foundation.errors import Invalid
        from bedside.foundation.installation import reach

        try:
            keys = orjson.loads(jwks.read_bytes()) if jwks else None
        except orjson.JSONDecodeError:
            raise Invalid("The key file is no JSON.", where=str(jwks)) from None
        with reach(home, database_url, None) as settings:
            made = asyncio.run(add_client(settings, name, scope, keys))
    if as_json:
        typer.echo(orjson.dumps(made).decode())
        return
    typer.echo(f"client id      {made['client_id']}")
    typer.echo(f"client secret  {made['client_secret'] or 'none: it signs with its key'}")
    typer.echo(f"scope          {made['scope']}")


@audit.command("verify")
def audit_verify(home: HomeOption = HOME, database_url: DatabaseOption = None) -> None:
    """Check that no byte of the audit was changed and nothing cut; exit code 1 if it was. Safe while it runs."""
    import asyncio

    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with plain_errors():
        from bedside.app import verify_audit
        from bedside.foundation.installation import reach

        columns = (SpinnerColumn(), TextColumn("{task.completed:,} entries checked"), TimeElapsedColumn())
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=None)
            report = asyncio.run(verify_audit(settings, lambda n: progress.update(task, completed=n)))
    for problem in (*report.problems, *report.warnings):
        typer.echo(problem, err=True)
    typer.echo(
        f"{report.entries} entries in {report.seals} seals, {report.unsealed} waiting for theirs, "
        f"{report.heads} signed heads: " + ("NOT WHOLE" if report.problems else "whole")
    )
    if report.problems:
        raise typer.Exit(1)


@cli.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, help="A FHIR bundle, an NDJSON file, or a folder of them.")],
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Keep the resources of FHIR files in the record. Twice is harmless; what is refused is listed with its reason."""
    import asyncio
    import time

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    with plain_errors():
        from bedside.app import import_records
        from bedside.foundation.installation import reach

        size = path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*.*json*"))
        columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        begun = time.monotonic()
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=size)
            report = asyncio.run(import_records(settings, path, lambda n: progress.advance(task, n)))
        seconds = time.monotonic() - begun
    console = Console()
    table = Table("Type", "new", "changed", "unchanged", box=None)
    for kind in sorted({*report.made, *report.changed, *report.same}):
        table.add_row(kind, f"{report.made[kind]:,}", f"{report.changed[kind]:,}", f"{report.same[kind]:,}")
    console.print(table)
    for one in report.refused:
        typer.echo(f"refused: {one.file}, entry {one.at}, {one.what}: {'; '.join(one.issues[:5])}", err=True)
    typer.echo(
        f"{report.kept:,} resources of {report.files} files in {seconds:.1f} s "
        f"({report.kept / max(seconds, 0.001):,.0f} a second), {len(report.refused):,} refused"
    )
    if report.refused:
        raise typer.Exit(1)


@cli.command("export")
def export_(
    path: Annotated[Path, typer.Argument(help="An empty or new folder; `bedside import` reads it again.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only this resource type; may be given several times.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what changed after this instant: 2026-01-31T00:00:00Z.")
    ] = None,
    patients: Annotated[bool, typer.Option("--patients", help="Only what belongs to a patient.")] = False,
    group: Annotated[str | None, typer.Option(help="Only what belongs to the patients of this Group.")] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Write the record into a folder as FHIR NDJSON, as it stands now: one resource a line, files by type."""
    import asyncio
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    with plain_errors():
        from bedside import records
        from bedside.app import export_records
        from bedside.foundation.installation import reach

        pairs = [("_type", one) for one in types or ()] + ([("_since", since)] if since else [])
        level: Literal["system", "patient", "group"] = "group" if group else "patient" if patients else "system"
        wish = records.export_wish(level, group, pairs, strict=True, posted=False)
        columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        begun = time.monotonic()
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=None)

            def tell(done: int, total: int) -> None:
                progress.update(task, advance=done, total=max(total, done + int(progress.tasks[0].completed)))

            counts = asyncio.run(export_records(settings, path, wish, tell))
        seconds = time.monotonic() - begun
    table = Table("Type", "resources", box=None)
    for kind in sorted(counts):
        table.add_row(kind, f"{counts[kind]:,}")
    Console().print(table)
    total = counts.total()
    typer.echo(f"{total:,} resources in {seconds:.1f} s ({total / max(seconds, 0.001):,.0f} a second) into {path}")


device = typer.Typer(no_args_is_help=True, help="Devices that send readings.")
cli.add_typer(device, name="device")


@device.command("add")
def device_add(
    patient: Annotated[str, typer.Option(help="The id of the patient who holds it.")],
    kind: Annotated[
        str,
        typer.Option(
            help="blood-pressure, heart-rate, pulse-oximeter, thermometer, scale, glucose-meter or monitor.",
        ),
    ],
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    method: Annotated[
        str | None, typer.Option(help="cuffless, where it measures pressure without a cuff: it raises no alarm.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Give a patient a device: prints its MQTT user name, password and topics. It works at once."""
    import asyncio

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            made = asyncio.run(app.add_device(settings, patient.removeprefix("Patient/"), kind, label, method))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(made).decode())
        return
    typer.echo(
        f"MQTT user name  {made.username}\n"
        f"password        {made.password}   (told only now)\n"
        f"publish to      {made.topic}\n"
        f"answers on      {made.ack_topic}"
    )


def main() -> None:
    """Entry point."""
    cli()
