"""Reading a step-up from a form made with entry/proof.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bedside import access


def proof_of(form: Mapping[str, Any]) -> access.Proof:
    """What the person showed: `passkey` where the browser's passkey filled it, else `pin` or the password `secret`.

    `person` names who, at a wall.
    """
    person = str(form.get("person") or "") or None
    for kind in ("passkey", "pin"):
        if shown := str(form.get(kind) or ""):
            return access.Proof(kind, shown, person)
    return access.Proof("password", str(form.get("secret") or ""), person)
