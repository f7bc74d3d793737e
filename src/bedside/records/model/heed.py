"""What another room wants to hear of: the record asks for its job in the transaction that writes."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Heed(NamedTuple):
    """A kind of resource whose every new version makes a job: for each of its patients, {"patient": id}, or, with each,
    one for all that a write wrote of it, {"references": ["Observation/…", …]}.

    type: FHIR resource type. test: whether a version is of this kind; it may be asked of what is no valid resource.
    job: the name of the room's job.
    """

    type: str
    test: Callable[[dict[str, Any]], bool]
    job: str
    each: bool = False
