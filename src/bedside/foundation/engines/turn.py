"""A local TURN relay (coturn) for the demo: `bedside demo --turn`, where the package is installed."""

from __future__ import annotations

import secrets
import shutil
import signal
from pathlib import Path

from bedside.foundation import private
from bedside.foundation.engines.process import Process
from bedside.foundation.errors import Unavailable


class Turn:
    """coturn on loopback, with the shared secret that time-limited credentials are made of (use-auth-secret)."""

    def __init__(self, root: Path, *, port: int) -> None:
        self.root, self.port = root, port
        self.log = root.parent / "logs" / "turn.log"

    @property
    def secret(self) -> str:
        """Kept in the home, made on first use."""
        return private.kept(self.root / "secret", lambda: secrets.token_urlsafe(24))

    @property
    def urls(self) -> tuple[str, ...]:
        """As RTCIceServer.urls wants them."""
        return tuple(f"turn:127.0.0.1:{self.port}?transport={way}" for way in ("udp", "tcp"))

    @staticmethod
    def program() -> str:
        """Where coturn is. Raises Unavailable where it is not installed."""
        found = shutil.which("turnserver")
        if found is None:
            raise Unavailable(
                "There is no TURN server on this machine.", remedy="apt-get install coturn, or no --turn."
            )
        return found

    def launch(self) -> Process:
        """Run it in the foreground. Raises Unavailable where coturn is not installed."""
        program = self.program()
        self.root.mkdir(mode=0o700, exist_ok=True)
        configuration = self.root / "turnserver.conf"
        private.write(
            configuration,
            "\n".join(
                [
                    f"listening-port={self.port}",
                    *("listening-ip=127.0.0.1", "relay-ip=127.0.0.1", "allow-loopback-peers", "no-tls", "no-dtls"),
                    # A relay that reaches only this machine: the demo's browsers are here (ASVS 17.1.1).
                    *("denied-peer-ip=0.0.0.0-126.255.255.255", "denied-peer-ip=128.0.0.0-255.255.255.255"),
                    *("use-auth-secret", f"static-auth-secret={self.secret}", "realm=bedside", "fingerprint"),
                    *("no-cli", "no-multicast-peers", "no-stdout-log", "log-file=/dev/null", "pidfile=/dev/null"),
                    f"userdb={self.root / 'turndb'}",
                    "",
                ]
            ),
        )
        return Process.start("turn", [Path(program), "-c", configuration], log=self.log, on_parent_death=signal.SIGTERM)
