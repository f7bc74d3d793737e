"""VISUAL.md's promise on the tokens themselves: text pairs reach 5:1, control borders 3:1, in both themes."""

import re
from pathlib import Path

import pytest

from bedside.web.kit.assets import STATIC

pytestmark = pytest.mark.unit

TOKENS = (STATIC.parent / "kit/css/tokens.css").read_text()
TEXT = [
    ("color-base-content", "color-base-100"),
    ("color-base-content", "color-base-200"),
    ("color-base-content", "tint"),
    ("color-secondary", "color-base-100"),
    ("color-secondary", "color-base-200"),
    ("color-secondary", "tint"),
    ("color-primary", "color-base-100"),
    ("color-primary", "color-base-200"),
    ("color-primary", "tint"),
    ("color-primary-content", "color-primary"),
    ("color-neutral-content", "color-neutral"),
    ("color-success", "color-base-100"),
    ("color-success", "color-base-200"),
    ("alarm-high", "color-base-100"),
    ("alarm-high", "color-base-200"),
    ("alarm-high-content", "alarm-high"),
    ("alarm-medium-content", "alarm-medium"),
    ("alarm-low", "color-base-100"),
    ("alarm-low", "color-base-200"),
    ("alarm-low-content", "alarm-low"),
]
BORDERS = [
    ("control", "color-base-100"),
    ("control", "color-base-200"),
    ("alarm-medium-line", "color-base-100"),
    ("alarm-medium-line", "color-base-200"),
]


def theme(name: str) -> dict[str, str]:
    """A theme's tokens, read from the style sheet that the pages are built from."""
    block = next(b for b in re.findall(r'@plugin "daisyui/theme" \{(.*?)\n\}', TOKENS, re.S) if f'name: "{name}"' in b)
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["paper", "night"])
@pytest.mark.parametrize(("pair", "least"), [(p, 5.0) for p in TEXT] + [(p, 3.0) for p in BORDERS])
def test_pairs(name: str, pair: tuple[str, str], least: float) -> None:
    tokens = theme(name)
    assert contrast(tokens[pair[0]], tokens[pair[1]]) >= least


def test_the_tokens_are_visual_md() -> None:
    paper, night = theme("paper"), theme("night")
    assert (paper["color-base-200"], paper["color-base-100"]) == ("#f7f6f2", "#ffffff")
    assert (night["color-base-200"], night["color-base-100"], night["wall"]) == ("#0f1716", "#17211f", "#0b1110")
    assert (paper["alarm-high"], paper["alarm-medium"], paper["alarm-low"]) == ("#b3261e", "#ffd24a", "#006e82")
    assert (night["alarm-high"], night["alarm-medium"], night["alarm-low"]) == ("#ff6b5e", "#ffc83d", "#4fd3e6")


def test_alarm_colours_mean_alarms_alone() -> None:
    """No daisyUI role (error, warning, info) carries an alarm's colour into a form or a note."""
    for name in ("paper", "night"):
        tokens = theme(name)
        alarms = {v for k, v in tokens.items() if re.fullmatch("alarm-(high|medium|low)", k)}
        assert not alarms & {v for k, v in tokens.items() if k.startswith("color-")}


def test_templates_name_no_colour_of_their_own() -> None:
    """Nothing inline (the content policy would drop it), no hex colour outside the tokens. The downtime copy is a file
    of its own, with its own policy.
    """
    for path in (one for one in Path(STATIC.parent).rglob("*.html") if one.name != "shell.html"):
        text = path.read_text()
        assert not re.search(r'\sstyle="|<style|\son[a-z]+="', text), path
        assert not re.search(
            r'="#[0-9a-fA-F]{6}"', text.replace('content="#f7f6f2"', "").replace('content="#0f1716"', "")
        ), path
