"""Dated tables that are data, not code: TOML files beside the code that reads them, with sources in each row."""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


def table_of(package: str, name: str, kind: type[T]) -> T:
    """The file of that name ("tables/agp.toml") in a package, in that shape.

    Raises msgspec.ValidationError, which names the place, where the file does not fit: a fault of this version.
    """
    return msgspec.toml.decode(files(package).joinpath(name).read_bytes(), type=kind)
