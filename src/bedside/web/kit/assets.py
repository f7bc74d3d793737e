"""The built front end: names with hashes from Vite's manifest, icons, and the route that serves them.

Files are served precompressed (.br, .gz beside each) and may be kept for a year: another content has another name.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
from markupsafe import Markup
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parent.parent / "static"
NOT_BUILT = "the front end is not built: run `npm run build` (make setup does)"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOREVER = "public, max-age=31536000, immutable"

mimetypes.add_type("font/woff2", ".woff2")


@dataclass(frozen=True, slots=True)
class Script:
    """An island or script: its address and those of the modules it imports, to be fetched together."""

    href: str
    imports: tuple[str, ...]
    css: tuple[str, ...]


@cache
def manifest() -> dict[str, dict[str, object]]:
    """Vite's manifest. Raises RuntimeError when the front end was never built."""
    try:
        return dict(orjson.loads((STATIC / "manifest.json").read_bytes()))
    except FileNotFoundError:
        raise RuntimeError(NOT_BUILT) from None


@cache
def icons() -> dict[str, str]:
    """The shapes of every lucide icon that the source names."""
    try:
        return dict(orjson.loads((STATIC / "icons.json").read_bytes()))
    except FileNotFoundError:
        raise RuntimeError(NOT_BUILT) from None


@cache
def asset(source: str) -> str:
    """The address of a built style sheet, by its source's place: asset("kit/css/patient.css")."""
    entry = manifest().get(source)
    if entry is None:
        raise RuntimeError(f"no built {source}: {NOT_BUILT}")
    return f"/static/{entry['file']}"


@cache
def font(weight: int) -> str:
    """The address of Atkinson Hyperlegible in this weight, for preloading."""
    found = sorted(STATIC.glob(f"asset/atkinson-{weight}-*.woff2"))
    if not found:
        raise RuntimeError(NOT_BUILT)
    return f"/static/asset/{found[0].name}"


@cache
def script(name: str) -> Script:
    """A built script by its place: script("kit/script/page"), script("clinician/chart") for chart.island.ts."""
    entries = manifest()
    source = next((s for s in (f"{name}.island.ts", f"{name}.worker.ts", f"{name}.ts") if s in entries), None)
    if source is None:
        raise RuntimeError(f"no built {name}: {NOT_BUILT}")
    seen: list[str] = []
    css: list[str] = []

    def follow(key: str) -> None:
        entry = entries[key]
        css.extend(f"/static/{c}" for c in entry.get("css", ()))  # type: ignore[attr-defined]
        for other in entry.get("imports", ()):  # type: ignore[attr-defined]
            href = f"/static/{entries[other]['file']}"
            if href not in seen:
                seen.append(href)
                follow(other)

    follow(source)
    return Script(f"/static/{entries[source]['file']}", tuple(seen), tuple(css))


def icon_svg(name: str) -> Markup:
    """A lucide icon, inlined; hidden from screen readers, since a word always stands beside it."""
    shape = icons().get(name)
    if shape is None:
        raise RuntimeError(f"icon {name} is in no template the build saw: {NOT_BUILT}")
    return Markup(  # noqa: S704 - shapes come from lucide's own files at build time
        # Sized, so that it is no poster where the style sheet did not come.
        '<svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{shape}</svg>'
    )


@cache
def worker(name: str) -> str:
    """The address of a built service worker: worker("readings/sync") for sync.worker.ts."""
    return script(name).href


@cache
def island(name: str) -> Markup:
    """The tags for a head: an island's script, its modules fetched at once, its style sheet."""
    found = script(name)
    tags = [Markup('<script type="module" src="{}"></script>').format(found.href)]
    tags += [Markup('<link rel="modulepreload" href="{}">').format(href) for href in found.imports]
    tags += [Markup('<link rel="stylesheet" href="{}">').format(href) for href in found.css]
    return Markup("").join(tags)


async def static(scope: Scope, receive: Receive, send: Send) -> None:
    """Serves /static: GET and HEAD, precompressed where the browser takes it, kept for a year."""
    response = _answer(scope)
    await response(scope, receive, send)


def _answer(scope: Scope) -> Response:
    if scope["method"] not in {"GET", "HEAD"}:
        return Response(status_code=405, headers={"allow": "GET, HEAD"})
    wanted = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
    path = (STATIC / wanted).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file() or path.suffix in {".json", ".br", ".gz"}:
        return Response("Not found", 404, media_type="text/plain", headers={"cache-control": "no-store"})
    headers = {"cache-control": FOREVER, "vary": "accept-encoding"}
    accept = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"accept-encoding"), "")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    for name, suffix in ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if name in accept and packed.is_file():
            return FileResponse(packed, headers=headers | {"content-encoding": name}, media_type=kind)
    return FileResponse(path, headers=headers, media_type=kind)
