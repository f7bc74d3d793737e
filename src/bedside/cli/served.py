"""What `serve` (or `demo`) of a home is told, for who looks from beside: by the same parser, so that both read the same
file and environment, and refuse the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import typer
import typer.core

from bedside.cli.command import cli, site

USUAL = Path("/etc/bedside/serve.toml")
"""Where docs/production.md puts it: believed of a clinic that was never started, whose first start may have failed."""
MQTT_PORT = 1883
MQTT_TLS_PORT = 8883
"""Where devices look for MQTT by TLS (IANA: secure-mqtt)."""
REMEMBERED = (
    *("config", "host", "port", "mqtt_host", "mqtt_port", "mllp_host", "mllp_port"),
    *("public_url", "tls_cert", "tls_key", "trusted_proxy", "web_only"),
)
"""Options that a home remembers of its newest start. No URL of an engine: those hold passwords."""
SAID = {"COMMANDLINE", "ENVIRONMENT"}


@dataclass(frozen=True, slots=True)
class Served:
    """source: the file that was read, None for none. doors: option to address and port."""

    source: Path | None
    doors: dict[str, tuple[str, int]]
    tls: tuple[Path, Path] | None
    database_url: str | None
    nats_url: str | None


def words(ctx: typer.Context) -> tuple[str, ...]:
    """What the command line and the environment said, as a command line says it; files are named from the root."""

    def said() -> Iterator[str]:
        for parameter in ctx.command.params:
            name, value = str(parameter.name), ctx.params.get(str(parameter.name))
            source = ctx.get_parameter_source(name)
            if name not in REMEMBERED or source is None or source.name not in SAID or value is None or value is False:
                continue
            yield parameter.opts[0]
            if value is not True:
                yield str(Path(str(value)).absolute()) if name in {"config", "tls_cert", "tls_key"} else str(value)

    return tuple(said())


def served(demo: bool, remembered: list[str], config: Path | None, typed: dict[str, int | None]) -> Served:
    """As the program would start now. remembered: its newest start's words; config: a file in their place; typed:
    options said just now, which win. Raises TyperException, as `serve` would."""
    command = _command("demo" if demo else "serve")
    if config is None and not demo and not remembered and os.path.exists(USUAL):  # noqa: PTH110 - False where hidden
        config = USUAL
    line = ["--config", str(config)] if config else _still(command, remembered)
    for option, value in typed.items():
        line += [] if value is None else [option, str(value)]
    told: dict[str, Any] = command.make_context(command.name, line).params
    cert, key = (Path(told[name]) if told.get(name) else None for name in ("tls_cert", "tls_key"))
    fitting(cert, key, told.get("trusted_proxy"), told.get("public_url"))
    doors = {"--port": (told["host"], told["port"])}
    if told.get("nats_url") is None:  # else devices come in where that NATS listens
        doors["--mqtt-port"] = (told.get("mqtt_host", "127.0.0.1"), told["mqtt_port"] or mqtt_usual(cert))
    if told["mllp_port"] and not told.get("web_only"):
        doors["--mllp-port"] = (told.get("mllp_host", "127.0.0.1"), told["mllp_port"])
    source = Path(told["config"]) if told.get("config") else None
    tls = (cert, key) if cert and key else None
    return Served(source, doors, tls, told.get("database_url"), told.get("nats_url"))


def fitting(
    tls_cert: Path | None, tls_key: Path | None, trusted_proxy: str | None, public_url: str | None
) -> str | None:
    """Refuse options that do not go together or would shut everybody out; the public address as it is kept.

    Raises BadParameter naming the option.
    """
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("TLS needs both --tls-cert and --tls-key.")
    if trusted_proxy and "*" in trusted_proxy:
        raise typer.BadParameter(
            "Whoever reached the port could then say that they are anybody. Name the proxy's address.",
            param_hint="--trusted-proxy",
        )
    if trusted_proxy and not all(_address(one.strip()) for one in trusted_proxy.split(",")):
        raise typer.BadParameter(
            "By a name no proxy is known: everybody would seem to come from it. Write its address, as 127.0.0.1.",
            param_hint="--trusted-proxy",
        )
    if public_url is None:
        return None
    from bedside.foundation.errors import Invalid

    try:
        return site(public_url)
    except Invalid as error:
        raise typer.BadParameter(f"{error.message} {error.remedy}", param_hint="--public-url") from None


def mqtt_usual(tls_cert: Path | None) -> int:
    """Where MQTT is where nobody says it."""
    return MQTT_TLS_PORT if tls_cert else MQTT_PORT


def _address(text: str) -> bool:
    """Of a machine, or of a network."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _command(name: str) -> typer.core.TyperCommand:
    group = typer.main.get_command(cli)
    found = group.commands[name] if isinstance(group, typer.core.TyperGroup) else None
    if not isinstance(found, typer.core.TyperCommand):
        raise TypeError(f"{name} is no command")
    return found


def _still(command: typer.core.TyperCommand, remembered: list[str]) -> list[str]:
    """What was remembered, but where the environment says another thing now."""
    kept, left = list[str](), list(remembered)
    by_option = {option: parameter for parameter in command.params for option in parameter.opts}
    while left:
        option = left.pop(0)
        parameter = by_option.get(option)
        flag = parameter is None or bool(getattr(parameter, "is_flag", False))
        value = [] if flag or not left else [left.pop(0)]
        if parameter is not None and not (parameter.envvar and os.environ.get(str(parameter.envvar))):
            kept += [option, *value]
    return kept


def homes_near(missed: Path) -> list[Path]:
    """Homes that may be meant by a path that is none: around it, and where the handbook puts one."""
    around = [*missed.parents, missed / "home", missed / ".bedside", Path("/var/lib/bedside/home")]
    with suppress(OSError):
        around += sorted(missed.parent.iterdir())
    with suppress(OSError):
        around += sorted(missed.iterdir())
    found = [each for each in dict.fromkeys(around) if os.path.exists(each / "bedside.json")]  # noqa: PTH110
    return found[:3]
