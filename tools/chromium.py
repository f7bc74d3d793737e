"""The Chromium that the journeys, the screenshots and the benchmarks drive.

    python -m tools.chromium      prints its path

One that is there already (BEDSIDE_CHROMIUM, or on the PATH), else the one that Playwright downloaded.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--mute-audio",
)
"""For a headless browser with a fake camera and microphone that asks nobody anything."""


def find() -> Path | None:
    """Where Chromium is, or None."""
    named = os.environ.get("BEDSIDE_CHROMIUM")
    if named:
        return Path(named) if Path(named).is_file() else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


if __name__ == "__main__":
    path = find()
    print(path or "no Chromium here: make setup installs one")
    sys.exit(0 if path else 1)
