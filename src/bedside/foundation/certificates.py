"""Certificates for TLS: whether a file and its key are fit to serve, when one ends, one of our own for a demo, and
the moment at which somebody (certbot, Caddy, a person) has put a newer one in its place.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from bedside.foundation import private
from bedside.foundation.errors import Invalid

Pair = tuple[Path, Path]
"""A certificate (with its chain) and its key, as PEM files."""

OWN_DAYS = 397
"""Of a certificate of our own: browsers take no longer one (CA/Browser Forum, Baseline Requirements, 6.3.2)."""
RENEW = timedelta(days=30)
"""Before its end one of our own is made anew."""


def check(pair: Pair) -> None:
    """Raises Invalid, naming the file, where a server could not start on these."""
    certificate, key = pair
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_none)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        if "PEM lib" in str(error):
            reason = "one of them holds no such thing"
        raise Invalid(
            "The certificate %(certificate)s and the key %(key)s cannot be used: %(reason)s.",
            remedy="Give a PEM certificate with its chain, and the key that belongs to it, without a password.",
            certificate=str(certificate),
            key=str(key),
            reason=str(reason).lower().replace("_", " "),
        ) from error


def _none() -> str:
    """Nobody is asked for a key's password: a program that starts by itself has nobody to ask."""
    raise ValueError("the key has a password")


def ends(certificate: Path) -> datetime:
    """When it expires. Raises Invalid where there is no certificate."""
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise Invalid(
            "%(file)s holds no certificate.", remedy="Give a PEM certificate.", file=str(certificate)
        ) from error


def own(folder: Path, host: str) -> Pair:
    """A certificate for that name or address, signed by itself: made on first use, and again before it ends."""
    certificate, key = folder / "own-cert.pem", folder / "own-key.pem"
    if certificate.exists() and key.exists() and _good_for(certificate, host):
        return certificate, key
    secret, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=OWN_DAYS))
        .add_extension(x509.SubjectAlternativeName([_named(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private.write(key, secret.private_bytes(serialization.Encoding.PEM, form, plain).decode())
    private.write(certificate, made.public_bytes(serialization.Encoding.PEM).decode())
    return certificate, key


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _good_for(certificate: Path, host: str) -> bool:
    try:
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return _named(host) in names and made.not_valid_after_utc - datetime.now(UTC) > RENEW


class Renewals:
    """Looks whether the files were replaced. Those that do not fit together yet are left until they do."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._used = self._seen = self._state()

    def came(self) -> bool:
        """Whether a newer pair lies there whole: said once, and only when it has stood still since the last look."""
        before, self._seen = self._seen, self._state()
        if self._seen is None or self._seen == self._used or self._seen != before:
            return False
        try:
            check(self._pair)
        except Invalid:
            return False
        self._used = self._seen
        return True

    def _state(self) -> tuple[tuple[int, int, int], ...] | None:
        try:
            looks = [file.stat() for file in self._pair]  # follows links: certbot changes where they lead
        except OSError:
            return None
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in looks)
