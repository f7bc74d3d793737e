"""Which browser a session runs in, as a person would say it: "Firefox, Android"."""

from __future__ import annotations

BROWSERS = {
    "Edg/": "Edge",
    "EdgA/": "Edge",
    "EdgiOS/": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "FxiOS/": "Firefox",
    "Firefox/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}
"""What a User-Agent holds, to a name; the first that fits, since each browser names those that it imitates too."""


def browser(agent: str) -> str:
    """A User-Agent in words; what no table knows is shown as it was sent, cut to a line."""
    names = [next((said for mark, said in table.items() if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in names if name) if names[0] else agent[:40]
