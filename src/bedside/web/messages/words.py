"""The words of conversations: signs of danger, and what became of a thread."""

from __future__ import annotations

from bedside.foundation.errors import N_

SIGNS = {
    "chest-pain": N_("Chest pain"),
    "breathing": N_("Trouble breathing"),
    "stroke": N_("Signs of a stroke"),
    "unconscious": N_("Fainting or a seizure"),
    "bleeding": N_("Heavy bleeding"),
    "allergy": N_("A severe allergic reaction"),
    "overdose": N_("Too much of a medicine, or poison"),
    "suicide": N_("Thoughts of ending your life or harming yourself"),
    "violence": N_("Violence"),
}
"""By the sign of messaging's table of danger."""
BECAME = {
    "taken": N_("%(name)s takes care of this"),
    "handed": N_("Handed on by %(name)s"),
    "closed": N_("Closed by %(name)s"),
    "opened": N_("Opened again by %(name)s"),
    "late": N_("The promised time passed without an answer"),
    "visit": N_("%(name)s made a visit of it"),
    "task": N_("%(name)s made a task of it"),
    "note": N_("%(name)s made a draft note of it"),
}
"""By an event of a thread."""
AT_HOME = frozenset({"closed", "opened", "visit"})
"""What of it those at home read: the rest is how the clinic works."""
