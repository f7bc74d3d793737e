"""Why a patch cannot be carried out."""

from bedside.fhir.issues import Issue


class Unpatchable(ValueError):
    """The patch is no patch (malformed), or does not fit the resource as it stands. issue: what, and at which step."""

    def __init__(self, where: str, what: str, *, code: str = "invalid", malformed: bool = False) -> None:
        super().__init__(what)
        self.malformed = malformed
        self.issue = Issue("error", code, where, what)
