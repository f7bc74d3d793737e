"""Texts folded for search: blind to case, accents and runs of space, the same when stored and when sought."""

import unicodedata

# Letters that Unicode does not take apart into a plain letter and a mark, as people without the key type them.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "’": "'", "‐": "-"}
)


def fold(text: str) -> str:
    """The folded form of a text: `Ångström  Łódź` becomes `angstrom lodz`."""
    folded = " ".join(text.casefold().split())
    if folded.isascii():
        return folded
    taken_apart = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return " ".join("".join(letter for letter in taken_apart if not unicodedata.combining(letter)).split())
