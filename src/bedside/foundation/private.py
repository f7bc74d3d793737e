"""Files that only the owner may read: passwords, keys, configuration that holds them."""

import os
from collections.abc import Callable
from pathlib import Path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write the file with mode 0600, whole or not at all. mode: another, for what is sealed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in the file; made and written on first use."""
    if not path.exists():
        write(path, make())
    return path.read_text()
