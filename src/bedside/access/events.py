"""Subjects that access publishes, and their content.

access.ended.{tenant}.{person}: {}; this person's account has ended, or they signed out everywhere: whatever they hold
open closes.
"""


def ended_subject(tenant: int, person: str) -> str:
    """Where the open pages of one person listen."""
    return f"access.ended.{tenant}.{person}"
