"""The access key of an S3-like store: from the environment or a file that only its owner reads; kept nowhere else."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass, field
from pathlib import Path

from bedside.foundation.errors import Unavailable

NAMES = (
    ("BEDSIDE_S3_KEY_ID", "BEDSIDE_S3_SECRET", ""),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
FORM = "[default], aws_access_key_id = …, aws_secret_access_key = …"


@dataclass(frozen=True, slots=True)
class Keys:
    """Who asks. It shows no secret."""

    id: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def keys(file: Path | None) -> Keys:
    """Out of the file (as Amazon's tools write it), or the environment. Raises Unavailable saying what is missing."""
    if file is not None:
        return _of_file(file)
    for id_, secret, token in NAMES:
        if os.environ.get(id_) and os.environ.get(secret):
            return Keys(os.environ[id_], os.environ[secret], os.environ.get(token, "") if token else "")
    raise Unavailable(
        "The access key of the backups' store is not known.",
        remedy="Set BEDSIDE_S3_KEY_ID and BEDSIDE_S3_SECRET, or name a file that holds them: --store-keys FILE.",
    )


def _of_file(file: Path) -> Keys:
    remedy = f"It must be there, be readable by Bedside alone (chmod 600 {file}) and hold: {FORM}"
    try:
        mode = file.stat().st_mode
        text = file.read_text()
    except OSError as error:
        raise Unavailable(
            f"{file}, the store's access key, cannot be read ({error.strerror}).", remedy=remedy
        ) from error
    if mode & 0o077:
        raise Unavailable(f"{file}, the store's access key, can be read by others.", remedy=remedy)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        found = parser["default"]
        return Keys(found["aws_access_key_id"], found["aws_secret_access_key"], found.get("aws_session_token", ""))
    except (configparser.Error, KeyError):
        # Not from that error: it would show the line, and with it the secret.
        raise Unavailable(f"{file} holds no access key.", remedy=remedy) from None
