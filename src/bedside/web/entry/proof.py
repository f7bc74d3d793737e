"""Reading a step-up from a form made with entry/proof.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bedside import access
from bedside.foundation.errors import Invalid


def proof_of(form: Mapping[str, Any], *, wall: bool = False) -> access.Proof:
    """What the person showed: `passkey` where the browser's passkey filled it, else the password `secret`.

    wall: at a shared display, where `person` names who, and the PIN `pin` stands for the password. Raises Invalid when
    nothing was shown: that is no wrong try.
    """
    person = (str(form.get("person") or "").strip() or None) if wall else None
    if wall and person is None:
        raise Invalid("Say who you are.", where="person")
    if passkey := str(form.get("passkey") or ""):
        return access.Proof("passkey", passkey, person)
    if typed := str(form.get("pin" if wall else "secret") or ""):
        return access.Proof("pin" if wall else "password", typed, person)
    if wall:
        raise Invalid("Show that it is you: by your PIN or a passkey.", where="pin")
    raise Invalid("Show that it is you: by your password or a passkey.", where="secret")
