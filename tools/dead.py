"""Dead code: what nobody calls, in the product or its tests (`make check`).

    python -m tools.dead

vulture finds the names; what templates and string-keyed protocols use, it cannot see, so every word in a template and
the names in tools/vulture_names.py count as used. Variables are left out: the fields of frozen values cross doors.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from vulture import Vulture

from tools.vulture_names import NAMES

ROOT = Path(__file__).resolve().parents[1]
USERS = ["src", "tests", "tools", "bench", "migrations"]
JUDGED = {"function", "class", "method", "property", "import", "unreachable_code"}
# Called by their name or place: framework hooks, commands, fixtures, routes.
BY_DECORATOR = ["@cli.*", "@*.command", "@*.command_*", "@*.callback", "@pytest.fixture*", "@given*", "@*.register"]
BY_NAME = ["test_*", "pytest_*", "upgrade", "downgrade", "visit_*", "_no_*"]


def main() -> int:
    """Print each unused thing of the product and the tools; 1 if there is one."""
    finder = Vulture(ignore_names=BY_NAME, ignore_decorators=BY_DECORATOR)
    finder.scavenge([str(ROOT / folder) for folder in USERS])
    words = {
        word
        for page in (ROOT / "src").rglob("*.html")
        for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", page.read_text())
    }
    found = [
        item
        for item in finder.get_unused_code(min_confidence=60)
        if item.typ in JUDGED and item.name not in words | NAMES and (ROOT / "tests") not in Path(item.filename).parents
    ]
    for item in found:
        print(f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno}: {item.typ} {item.name} is not used")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
