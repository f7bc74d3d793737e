"""Texts folded for search: blind to case, accents and runs of space, the same when stored and when sought.

And the ways in which one name is written. No library, and no collation, knows both at once: PostgreSQL's unaccent and
ICU's Latin-ASCII make `u` of `ü`, the German and Danish rules of CLDR `ue` and `aa` in place of it.
"""

import re
import unicodedata

# Letters that Unicode does not take apart into a plain letter and a mark, as people without the key type them.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "’": "'", "‐": "-"}
)
# As passports spell them out, and cards and other systems after them: ICAO Doc 9303 part 3, "Transliterations
# recommended for use by States", Latin-based characters.
_SPELT_OUT = _PLAIN | str.maketrans({"ä": "ae", "ö": "oe", "ø": "oe", "ü": "ue", "å": "aa"})
_PAIRS = re.compile("a[ae]|oe|ue")


def fold(text: str) -> str:
    """The folded form of a text: `Ångström  Łódź` becomes `angstrom lodz`."""
    return _folded(text, _PLAIN)


def spelt_out(text: str) -> str:
    """The same, as a passport spells it out: `Ångström` becomes `aangstroem`. As many words as `fold` makes of it."""
    return _folded(unicodedata.normalize("NFC", text), _SPELT_OUT)


def spellings(name: str) -> frozenset[str]:
    """The two forms in which a name with such letters is written, folded; of another name the one."""
    return frozenset((fold(name), spelt_out(name)))


def shortened(folded: str) -> str:
    """What whoever has no key for such a letter may make of one that is spelt out: `mueller` becomes `muller`."""
    return _PAIRS.sub(lambda pair: pair[0][0], folded)


def found_by(name: str) -> frozenset[str]:
    """Every form of a name by which it should be found: its spellings, and each of them shortened."""
    written = spellings(name)
    return written | frozenset(map(shortened, written))


def _folded(text: str, letters: dict[int, str]) -> str:
    folded = " ".join(text.casefold().split())
    if folded.isascii():
        return folded
    taken_apart = unicodedata.normalize("NFKD", folded.translate(letters))
    return " ".join("".join(letter for letter in taken_apart if not unicodedata.combining(letter)).split())
