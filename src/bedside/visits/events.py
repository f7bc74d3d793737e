"""Subjects that visits publishes, and their content.

visits.signal.{tenant}.{visit}: JSON objects with t = here, gone, signal, chat, state (between the pages of one visit,
relayed) or visit (status, event: the visit itself moved).
"""


def signal_subject(tenant: int, visit: str) -> str:
    """Where the pages of one visit meet."""
    return f"visits.signal.{tenant}.{visit}"
