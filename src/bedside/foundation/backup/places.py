"""Where backups go or are: a folder, or s3://BUCKET/PREFIX with what reaches it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bedside.foundation.backup.store import Folder, Store
from bedside.foundation.errors import Conflict, Invalid, Unavailable

S3_SCHEME = "s3://"
PROBE = ".probe"
SAID = b"Bedside looks whether it may write here. "


@dataclass(frozen=True, slots=True)
class Place:
    """to: as it was typed, a folder made absolute. The rest is of an S3-like store alone."""

    to: str
    endpoint: str = ""
    region: str = ""
    keys_file: str = ""

    @classmethod
    def typed(cls, to: str, endpoint: str = "", region: str = "", keys_file: Path | None = None) -> Place:
        """Raises Invalid: not an address, an address that holds a key."""
        if not to.startswith(S3_SCHEME):
            if "://" in to:
                raise Invalid(f"{to.partition(':')[0]}:// is not known.", remedy="A folder, or s3://BUCKET/PREFIX.")
            return cls(str(Path(to).absolute()))
        where = urlsplit(to)
        if not where.netloc or "@" in where.netloc or where.query or where.fragment:
            raise Invalid(
                "That is not a bucket.", remedy="s3://BUCKET/PREFIX; its key goes into a file (--store-keys)."
            )
        if endpoint:
            there = urlsplit(endpoint)
            if there.scheme not in {"http", "https"} or not there.hostname or "@" in there.netloc:
                raise Invalid("That is no --endpoint.", remedy="https://s3.example.org, without a key in it.")
        keys = str(keys_file.absolute()) if keys_file else ""
        return cls(f"{S3_SCHEME}{where.netloc}/{where.path.strip('/')}".rstrip("/"), endpoint.rstrip("/"), region, keys)

    @property
    def folder(self) -> Path | None:
        """None for an S3-like store."""
        return None if self.to.startswith(S3_SCHEME) else Path(self.to)

    def store(self, *, conditional: bool = True, mark: str = "") -> Store:
        """What reaches it; nothing is asked yet. mark: of a folder's disk."""
        if (folder := self.folder) is not None:
            return Folder(folder, mark)
        # botocore costs half a second and 20 MB: only where it is wanted.
        from bedside.foundation.backup.s3 import S3, Bucket

        where = urlsplit(self.to)
        bucket = Bucket(where.netloc, where.path.strip("/"), self.endpoint, self.region)
        return S3(bucket, self.keys_file, conditional=conditional)

    def probe(self) -> bool:
        """Write, read, list and delete something; whether the store refuses to write over what another wrote.

        Raises Unavailable with a remedy.
        """
        name, plain = f"{PROBE}/{secrets.token_hex(8)}", self.store(conditional=False)
        for over in (False, True):
            with plain.writing(name, over=over) as out:
                out.write(SAID)
        with plain.reading(name) as kept:
            if kept.read() != SAID or name not in plain.names(PROBE):
                raise Unavailable(f"{plain.place} does not give back what is written there.")
        try:
            return self.folder is None and self._refuses(name)
        except Unavailable:  # such a request is not even understood
            return False
        finally:
            plain.drop(name)

    def _refuses(self, name: str) -> bool:
        mine, other = self.store(), self.store()
        for store in (mine, other):
            store.reading(name).close()
        with mine.writing(name, over=True) as out:
            out.write(SAID * 2)
        for store, over in ((other, True), (self.store(), False)):
            try:
                with store.writing(name, over=over) as out:
                    out.write(SAID * 3)
            except Conflict:
                continue
            return False
        return True
