"""What came back of what was asked for: results of laboratories and reports, and who has seen each.

Owns: that a result waits to be seen, who saw it, when, and what came of it; and that no task stays with somebody who
left. The results and tasks themselves are the record's; nothing of them is copied. Refuses: whoever may not read the
patient's reports, and a mark on another version than the one that stands there.
"""

from bedside.orders.model import Waiting
from bedside.orders.service import tasks
from bedside.orders.service.seeing import look, see, unsee, waiting

__all__ = ["Waiting", "look", "see", "tasks", "unsee", "waiting"]
