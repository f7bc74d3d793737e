"""What a form of a message holds: words and files; and what is wrong with it, kept beside what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, TooLarge
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.kit.page import told_to

SPARE = 256 * 1024
"""Bytes of a form beside its files."""
SHOWN_AGAIN = frozenset({400, 409, 413, 422})
"""Refusals after which the form comes back with what was typed."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was sent, or an empty one. key: the message's id, the same each time the form comes back.

    chosen: which of the files that were kept before are to go with it. kept: those that are kept now;
    refused: by name those that could not be, and why, in the reader's language.
    """

    key: str
    text: str = ""
    kind: str = ""
    anyway: bool = False
    files: tuple[tuple[str, bytes], ...] = ()
    chosen: tuple[int, ...] = ()
    kept: tuple[messaging.threads.UnsentFile, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs of danger in its words."""
        return messaging.threads.danger.signs(self.text)

    @property
    def new(self) -> messaging.threads.New:
        """The message; urgent where its writer was shown the emergency number and sends all the same."""
        urgent = self.anyway and bool(self.signs)
        return messaging.threads.New(self.key, self.text, self.files, urgent=urgent, held=self.chosen)


def empty() -> Typed:
    """A form that nobody has typed in."""
    return Typed(uuid7())


async def typed(request: Request) -> Typed:
    """The form. Raises TooLarge before more is read than a message may hold."""
    most = messaging.threads.MANY * messaging.threads.MOST + SPARE
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > most:
        raise TooLarge("A file has at most %(most)s MB.", where="files", most=messaging.threads.MOST >> 20)
    async with request.form(max_files=messaging.threads.MANY + 1) as form:
        files = [
            (one.filename, await one.read())
            for one in form.getlist("files")
            if isinstance(one, UploadFile) and one.filename
        ]
        chosen = {str(one) for one in form.getlist("kept")}
        said: dict[str, str] = {name: str(form.get(name) or "") for name in ("key", "text", "kind", "anyway")}
    numbers = tuple(n for n in range(messaging.threads.MANY) if str(n) in chosen)
    return Typed(said["key"] or uuid7(), said["text"], said["kind"], said["anyway"] == "yes", tuple(files), numbers)


async def held(request: Request, typed: Typed, whose: Callable[[Ctx], Awaitable[str]]) -> Typed:
    """The same, its files kept while it is not sent. whose: finds the patient it is about.

    Where they cannot be kept they stay in `files`, and the page says that they must be chosen again: no trouble with a
    file may stand before the emergency number.
    """
    if not typed.files and not typed.chosen:
        return typed
    try:
        async with access.work(ctx_of(request), "kept the files of a message that is not sent") as ctx:
            patient = await whose(ctx)
            found = await messaging.threads.hold(ctx, patient, typed.key, typed.files, typed.chosen)
    except BedsideError:
        return typed
    refused = tuple((name, " ".join(filter(None, told_to(request, why)))) for name, why in found.refused)
    return replace(typed, files=(), kept=found.held, refused=refused)


def again(error: BedsideError) -> BedsideError:
    """The refusal, to be shown beside what was typed; raises it where no form can help."""
    if error.status not in SHOWN_AGAIN:
        raise error
    return error


def shown(typed: Typed, error: BedsideError | None) -> dict[str, Any]:
    """What a template with the form needs."""
    return {
        "typed": typed,
        "error": error,
        "longest": messaging.threads.LONGEST,
        "most": messaging.threads.MOST >> 20,
        "many": messaging.threads.MANY,
    }
