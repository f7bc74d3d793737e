"""What an operation was given: the query of a GET, a Parameters resource, or one resource by itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from bedside.fhir import dates
from bedside.fhir.dates import Span
from bedside.records.model.refusals import refuse

_ABOUT_THE_ANSWER = frozenset({"_format", "_pretty"})


class Given:
    """The parameters in order, each a text or an object. What is asked for in the wrong shape is refused by name."""

    def __init__(self, values: Iterable[tuple[str, Any]] = ()) -> None:
        self._values = [(name, value) for name, value in values if name not in _ABOUT_THE_ANSWER]

    @classmethod
    def posted(cls, pairs: Iterable[tuple[str, str]], body: Mapping[str, Any] | None) -> "Given":
        """Of a query and a body: a Parameters, or another resource, which is then the parameter `resource`."""
        values: list[tuple[str, Any]] = list(pairs)
        if body is None:
            return cls(values)
        if body.get("resourceType") != "Parameters":
            return cls([*values, ("resource", body)])
        for n, one in enumerate(body.get("parameter") or ()):
            where = f"Parameters.parameter[{n}]"
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                raise refuse("required", f"{where}.name", "A parameter has a name.", status=400)
            values.append((one["name"], _value(one, where)))
        return cls(values)

    def only(self, *names: str) -> None:
        """Raise Refused for a parameter that the operation does not know."""
        for name, _ in self._values:
            if name not in names:
                known = ", ".join(names) or "none"
                raise refuse("not-supported", name[:64], f"This operation takes {known}.", status=400)

    def __contains__(self, name: str) -> bool:
        return any(name == one for one, _ in self._values)

    def one(self, name: str) -> Any:
        """Its only value, None without one."""
        found = [value for one, value in self._values if one == name]
        if len(found) > 1:
            raise refuse("value", name, "This parameter is given once.", status=400)
        return found[0] if found else None

    def text(self, name: str) -> str | None:
        """A simple value as text."""
        found = self.one(name)
        if found is not None and not isinstance(found, str):
            raise refuse("value", name, "A simple value is wanted here.", status=400)
        return found

    def needed(self, name: str) -> str:
        """As `text`, and it must be there."""
        found = self.text(name)
        if not found:
            raise refuse("required", name, "This operation needs this parameter.", status=400)
        return found

    def texts(self, name: str) -> list[str]:
        """All of its values, repeated or with commas between."""
        found = [value for one, value in self._values if one == name]
        if not all(isinstance(value, str) for value in found):
            raise refuse("value", name, "A simple value is wanted here.", status=400)
        return [part for value in found for part in value.split(",") if part]

    def number(self, name: str, least: int = 0) -> int | None:
        """A whole number."""
        found = self.text(name)
        if found is None:
            return None
        if not (found.isascii() and found.isdecimal() and len(found) < 8 and int(found) >= least):
            raise refuse("value", name, f"A whole number from {least} is wanted here.", status=400)
        return int(found)

    def flag(self, name: str) -> bool | None:
        """true or false."""
        found = self.text(name)
        if found not in (None, "true", "false"):
            raise refuse("value", name, "true or false is wanted here.", status=400)
        return None if found is None else found == "true"

    def span(self, name: str) -> Span | None:
        """The time that a date or instant means."""
        found = self.text(name)
        try:
            return None if found is None else dates.span(found)
        except ValueError:
            raise refuse("value", name, "This is no date of FHIR.", status=400) from None

    def parts(self, name: str) -> list["Given"]:
        """Each of its values that is a list of parts."""
        found = [value for one, value in self._values if one == name]
        if not all(isinstance(value, list) for value in found):
            raise refuse("value", name, "Its parts are wanted here.", status=400)
        return [Given.posted((), {"resourceType": "Parameters", "parameter": value}) for value in found]

    def object(self, name: str) -> dict[str, Any] | None:
        """A resource or a datatype with properties."""
        found = self.one(name)
        if found is not None and not isinstance(found, dict):
            raise refuse("value", name, "An object is wanted here; send a Parameters by POST.", status=400)
        return found

    def objects(self, name: str) -> list[dict[str, Any]]:
        """All of its values, each an object."""
        found = [value for one, value in self._values if one == name]
        if not all(isinstance(value, dict) for value in found):
            raise refuse("value", name, "An object is wanted here; send a Parameters by POST.", status=400)
        return found

    def pairs(self) -> list[tuple[str, str]]:
        """The simple values, as a query says them."""
        return [(name, value) for name, value in self._values if isinstance(value, str)]

    def all_pairs(self) -> list[tuple[str, str]]:
        """As `pairs`, a reference by what it refers to. Raises Refused where another value is no simple one."""
        found = []
        for name, value in self._values:
            text = value.get("reference") if isinstance(value, dict) else value
            if not isinstance(text, str):
                raise refuse("value", name[:64], "Its value is a simple one, or a reference.", status=400)
            found.append((name, text))
        return found


def _value(one: Mapping[str, Any], where: str) -> Any:
    found = [value for key, value in one.items() if key.startswith("value") or key in ("resource", "part")]
    if len(found) != 1:
        raise refuse("value", where, "A parameter has one value, resource or list of parts.", status=400)
    value = found[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | dict | list) else str(value)
