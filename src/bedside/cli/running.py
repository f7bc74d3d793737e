"""Start the program, or one of its processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from bedside.cli.command import (
    HOME,
    PORTS,
    DatabaseOption,
    HomeOption,
    MllpHostOption,
    MllpPortOption,
    MqttPortOption,
    NatsOption,
    PortOption,
    cli,
    from_file,
    plain_errors,
)
from bedside.cli.served import fitting, mqtt_usual, words


def _run(ctx: typer.Context, demo: bool, home: Path, **choices: Any) -> None:
    # Before anything imports prometheus_client: the processes of this home share their counters.
    from bedside.foundation.counters import counters

    metrics = counters(home)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    from bedside.foundation.installation import Installation, Program, Wish

    def program() -> Program:
        metrics.mkdir(mode=0o700, parents=True, exist_ok=True)
        from bedside.app import Bedside

        return Bedside()

    with plain_errors():
        try:
            Installation(Wish(home, demo, said=words(ctx), **choices), program, typer.echo).run()
        finally:
            if not (home.absolute() / "running.json").exists():  # another program may hold this home
                shutil.rmtree(metrics, ignore_errors=True)


@cli.command()
def demo(
    ctx: typer.Context,
    home: HomeOption = HOME,
    port: PortOption = 8000,
    mqtt_port: MqttPortOption = 1883,
    mllp_port: MllpPortOption = 2575,
    patients: Annotated[int, typer.Option(envvar="BEDSIDE_PATIENTS", help="How many, at the first start.")] = 40,
    seed: Annotated[int, typer.Option(envvar="BEDSIDE_SEED", help="The same seed makes the same clinic.")] = 1,
    reset: Annotated[bool, typer.Option("--reset", help="Begin anew: forget this demo's clinic.")] = False,
    turn: Annotated[bool, typer.Option("--turn", help="Relay video through a local coturn too.")] = False,
    host: Annotated[
        str, typer.Option(help="An address of this machine, to show it to phones on the same network.")
    ] = "127.0.0.1",
    i_know: Annotated[
        bool, typer.Option("--i-know", help="That whoever is on that network can enter as anybody.")
    ] = False,
    web_processes: Annotated[
        int, typer.Option(envvar="BEDSIDE_WEB_PROCESSES", min=1, max=64, help="How many serve HTTP.")
    ] = 1,
) -> None:
    """Start a living clinic of invented people; stop it with Ctrl-C and start it again where it was."""
    shown = _shown(host, i_know=i_know)
    _run(
        ctx,
        True,
        home,
        host=host,
        own_certificate=shown,
        port=port,
        mqtt_port=mqtt_port,
        mllp_port=mllp_port,
        patients=patients,
        seed=seed,
        reset=reset,
        turn=turn,
        web_processes=web_processes,
    )


def _shown(host: str, *, i_know: bool) -> bool:
    """Whether a demo is shown on a network: then by https, since browsers give a camera to nothing else."""
    if host in {"127.0.0.1", "localhost", "::1"}:
        return False
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - refused
        raise typer.BadParameter("Name one address of this machine, as phones will type it.", param_hint="--host")
    if not i_know:
        raise typer.BadParameter(
            f"Everybody who reaches {host} could enter this demo as anybody: the passwords are printed and known. "
            "Nobody's real data belongs in it. Say --i-know as well, if that is well.",
            param_hint="--host",
        )
    typer.echo(
        f"Shown to everybody who reaches {host}. The certificate is this demo's own: browsers warn of it once; "
        "go on there. Passkeys do not work by an address, passwords do."
    )
    return True


@cli.command()
def serve(
    ctx: typer.Context,
    home: HomeOption = HOME,
    config: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, is_eager=True, callback=from_file, help="A TOML file of these options."
        ),
    ] = None,
    host: Annotated[str, typer.Option(envvar="BEDSIDE_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: PortOption = 8000,
    mqtt_host: Annotated[str, typer.Option(envvar="BEDSIDE_MQTT_HOST", help="Address of MQTT.")] = "127.0.0.1",
    mqtt_port: Annotated[
        int | None,
        typer.Option(
            "--mqtt-port", envvar="BEDSIDE_MQTT_PORT", help="Port of MQTT: 8883 with TLS, else 1883.", **PORTS
        ),
    ] = None,
    mllp_host: MllpHostOption = "127.0.0.1",
    mllp_port: MllpPortOption = None,
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
    migrate: Annotated[
        bool,
        typer.Option(
            "--migrate", envvar="BEDSIDE_MIGRATE", help="After an upgrade: go on even without a backup before."
        ),
    ] = False,
    web_only: Annotated[bool, typer.Option("--web-only", help="Leave jobs and readings to other processes.")] = False,
    web_processes: Annotated[
        int | None,
        typer.Option(
            envvar="BEDSIDE_WEB_PROCESSES", min=1, max=64, help="How many serve HTTP; one for two cores, at most 4."
        ),
    ] = None,
) -> None:
    """Run a real clinic, on the embedded engines or on those that others run."""
    public_url = fitting(tls_cert, tls_key, trusted_proxy, public_url)
    _run(
        ctx,
        False,
        home,
        host=host,
        port=port,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port or mqtt_usual(tls_cert),
        mllp_host=mllp_host,
        mllp_port=mllp_port,
        public_url=public_url,
        database_url=database_url,
        nats_url=nats_url,
        migrate=migrate,
        web_only=web_only,
        web_processes=web_processes or min(4, max(1, len(os.sched_getaffinity(0)) // 2)),
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
def ingest(
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
    nats_url: NatsOption = None,
    mllp_host: MllpHostOption = "127.0.0.1",
    mllp_port: MllpPortOption = None,
    tls_cert: Annotated[Path | None, typer.Option(envvar="BEDSIDE_TLS_CERT", exists=True)] = None,
    tls_key: Annotated[Path | None, typer.Option(envvar="BEDSIDE_TLS_KEY", exists=True)] = None,
) -> None:
    """Take devices' readings, beside `bedside serve`, here or on another machine; with --mllp-port HL7 v2 too."""
    with plain_errors():
        from dataclasses import replace

        from bedside.app import Bedside
        from bedside.foundation.installation import door_at, reach

        mllp = door_at(mllp_host, mllp_port, "HL7 v2", "--mllp-port") if mllp_port else None
        with reach(home, database_url, nats_url) as settings:
            Bedside().ingest(replace(settings, tls_cert=tls_cert, tls_key=tls_key), mllp)
