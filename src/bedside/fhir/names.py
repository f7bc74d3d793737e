"""A person's name as it is spoken, from a Patient or another resource with HumanNames: on every page the same."""

from collections.abc import Mapping
from typing import Any


def name_of(resource: Mapping[str, Any]) -> str:
    """The official name, else the first, given names before the family's; "" where there is none."""
    names = resource.get("name") or []
    chosen = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    if chosen.get("text"):
        return str(chosen["text"])
    return " ".join(filter(None, [*chosen.get("given", []), chosen.get("family")]))  # None: only said why it is not
