"""UCUM units (ucum.org): which unit codes are well formed, and a quantity in the canonical unit of its kind.

Own code: what PyPI has needs a Java machine (ucumate) or brings a general unit system (ucumvert, pint), where a store
needs one multiplication. The grammar is UCUM's: prefixes, `.` and `/`, exponents, parentheses, annotations. The
atoms are those of vital signs, laboratories and medicines; a unit with another atom is kept and found as written.

Two departures, both on the safe side: the mole is a kind of its own (UCUM makes it a bare number), and arbitrary units
([iU], [arb'U]) convert to nothing but themselves.
"""

import re
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

UCUM = "http://unitsofmeasure.org"

_Kind = tuple[tuple[str, int], ...]
_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip
# Atom: (may take a prefix, factor, the units it is made of). Factors: UCUM 2.1, tables 1-6.
_METRIC: dict[str, tuple[str, str]] = {
    "L": ("1", "dm3"), "l": ("1", "dm3"), "N": ("1000", "g.m/s2"), "Pa": ("1", "N/m2"), "J": ("1", "N.m"),
    "W": ("1", "J/s"), "A": ("1", "C/s"), "V": ("1", "J/C"), "F": ("1", "C/V"), "Ohm": ("1", "V/A"), "S": ("1", "A/V"),
    "Hz": ("1", "/s"), "bar": ("100000", "Pa"), "Gy": ("1", "J/kg"), "Sv": ("1", "J/kg"), "Bq": ("1", "/s"),
    "Ci": ("37000000000", "Bq"), "U": ("1", "umol/min"), "kat": ("1", "mol/s"), "eq": ("1", "mol"),
    "osm": ("1", "mol"), "cal": ("4.184", "J"), "m[H2O]": ("9806.65", "Pa"), "m[Hg]": ("133322", "Pa"),
    "ar": ("100", "m2"), "t": ("1000000", "g"), "dyn": ("1", "g.cm/s2"), "P": ("1", "dyn.s/cm2"),
    "[iU]": ("1", "[iU]"), "[IU]": ("1", "[iU]"),
}  # fmt: skip
_PLAIN: dict[str, tuple[str, str]] = {
    "min": ("60", "s"), "h": ("3600", "s"), "d": ("86400", "s"), "wk": ("604800", "s"), "mo": ("2629800", "s"),
    "a": ("31557600", "s"), "[in_i]": ("2.54", "cm"), "[ft_i]": ("30.48", "cm"), "[yd_i]": ("91.44", "cm"),
    "[mi_i]": ("160934.4", "cm"), "[lb_av]": ("453.59237", "g"), "[oz_av]": ("28.349523125", "g"),
    "[gr]": ("0.06479891", "g"), "[stone_av]": ("6350.29318", "g"), "[foz_us]": ("29.5735295625", "mL"),
    "[tsp_us]": ("4.92892159375", "mL"), "[tbs_us]": ("14.78676478125", "mL"), "[cup_us]": ("236.5882365", "mL"),
    "[pt_us]": ("473.176473", "mL"), "[qt_us]": ("946.352946", "mL"), "[gal_us]": ("3785.411784", "mL"),
    "[Cal]": ("1", "kcal"), "[psi]": ("6894.757293168", "Pa"), "atm": ("101325", "Pa"), "[drp]": ("0.05", "mL"),
    "%": ("0.01", "1"), "[ppth]": ("0.001", "1"), "[ppm]": ("0.000001", "1"), "[ppb]": ("0.000000001", "1"),
    "10*": ("10", "1"), "10^": ("10", "1"), "deg": ("0.017453292519943296", "rad"),
}  # fmt: skip
_BASE = {"m", "s", "g", "rad", "K", "C", "cd", "mol"}
_ARBITRARY = {
    "[iU]", "[IU]", "[arb'U]", "[USP'U]", "[GPL'U]", "[MPL'U]", "[APL'U]", "[CCID_50]", "[CFU]", "[PFU]", "[FFU]",
    "[beth'U]", "[anti'Xa'U]", "[todd'U]", "[dye'U]", "[knk'U]", "[Amb'a'1'U]", "[AU]", "[BAU]", "[Lf]", "[D'ag'U]",
    "[tb'U]", "[p'diop]", "[S]", "[EID_50]", "[TCID_50]", "[HPF]", "[LPF]", "[Ch]", "[pH]", "B", "Np",
    "[diop]", "[MET]", "[smoot]", "[hnsf'U]", "[mclg'U]", "[kp_C]",
}  # fmt: skip
# Special units: canonical value in kelvin = (value + offset) × factor.
_AFFINE = {"Cel": (Fraction("273.15"), Fraction(1)), "[degF]": (Fraction("459.67"), Fraction(5, 9))}
_PRECISE = Context(prec=18)
_EXACT = Context(prec=400)
_ATOM = re.compile(r"(?P<annotation>\{[!-z|~]*\})|(?P<open>\()|(?P<close>\))|(?P<sign>[./])|(?P<symbol>[^./(){}]+)")
_EXPONENT = re.compile(r"(?P<name>10\*|10\^|.*?[^0-9+-]|)(?P<power>[+-]?\d+)?", re.DOTALL)


class Canonical(NamedTuple):
    """A value in the canonical unit of its kind, as `g.m-3`."""

    value: Decimal
    unit: str


class _Unit(NamedTuple):
    factor: Fraction
    kind: _Kind
    offset: Fraction = Fraction(0)
    atoms: int = 0


def is_unit(code: str) -> bool:
    """Whether code is a UCUM unit that this table knows."""
    return _unit(code) is not None


def same_kind(one: str, other: str) -> bool:
    """Whether quantities in the two units can be compared."""
    left, right = _unit(one), _unit(other)
    return left is not None and right is not None and left.kind == right.kind


def canonical(value: Decimal, code: str) -> Canonical | None:
    """The value in the canonical unit of its kind; None where the unit is unknown or only an annotation (`{score}`)."""
    step = _step(code)
    if step is None or not value.is_finite() or not -60 < value.adjusted() < 60:
        return None
    exact = _EXACT.multiply(_EXACT.add(value, step.offset), step.numerator)
    return Canonical(_PRECISE.divide(exact, step.denominator).normalize(), step.name)


def convert(value: Decimal, code: str, to: str) -> Decimal | None:
    """The value in another unit of its kind; None when the units do not meet."""
    source, target = _unit(code), _unit(to)
    if source is None or target is None or source.kind != target.kind or not value.is_finite():
        return None
    return _decimal((Fraction(value) + source.offset) * source.factor / target.factor - target.offset)


def decimal(number: object) -> Decimal | None:
    """A JSON number as a Decimal that shows the digits as written; None for anything else."""
    if isinstance(number, Decimal):
        return number
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        return Decimal(repr(number))
    except InvalidOperation:
        return None


def precision(value: Decimal) -> tuple[Decimal, Decimal]:
    """The range [low, high) that a number means by the digits it is written with: 5.4 is 5.35 to 5.45."""
    exponent = value.as_tuple().exponent
    half = Decimal((0, (5,), exponent - 1)) if isinstance(exponent, int) else Decimal(0)
    return value - half, value + half


def _decimal(exact: Fraction) -> Decimal:
    return _PRECISE.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize()


class _Step(NamedTuple):
    """What takes a value to the canonical unit: (value + offset) × numerator ÷ denominator, rounded once."""

    offset: Decimal
    numerator: Decimal
    denominator: Decimal
    name: str


@lru_cache(1024)
def _step(code: str) -> _Step | None:
    unit = _unit(code)
    if unit is None or not unit.atoms:
        return None
    offset = Decimal(unit.offset.numerator) / Decimal(unit.offset.denominator)
    return _Step(offset, Decimal(unit.factor.numerator), Decimal(unit.factor.denominator), _name(unit.kind))


@lru_cache(1024)
def _unit(code: str) -> _Unit | None:
    if code in _AFFINE:
        offset, factor = _AFFINE[code]
        return _Unit(factor, (("K", 1),), offset, 1)
    if not code or len(code) > 100 or not code.isascii() or " " in code:
        return None
    tokens = [(match.lastgroup or "", match[0]) for match in _ATOM.finditer(code)]
    if "".join(text for _, text in tokens) != code:
        return None
    try:
        unit, rest = _term(tokens)
    except (ValueError, RecursionError, OverflowError):
        return None
    return None if rest else unit


_Tokens = list[tuple[str, str]]


def _term(tokens: _Tokens) -> tuple[_Unit, _Tokens]:
    unit, expect, invert = _Unit(Fraction(1), ()), True, False
    if tokens and tokens[0] == ("sign", "/"):
        invert, tokens = True, tokens[1:]
    while tokens and tokens[0][0] != "close":
        (group, text), tokens = tokens[0], tokens[1:]
        if group == "sign":
            if expect:
                raise ValueError(text)
            expect, invert = True, text == "/"
            continue
        if group == "annotation":
            expect = False  # may follow a unit or stand for one
            continue
        if not expect:
            raise ValueError(text)
        if group == "open":
            factor, tokens = _term(tokens)
            if not tokens:
                raise ValueError("open bracket")
            tokens = tokens[1:]
        else:
            factor = _simple(text)
        unit, expect, invert = _times(unit, factor, -1 if invert else 1), False, False
    if expect:
        raise ValueError("ends in an operator")
    return unit, tokens


def _simple(text: str) -> _Unit:
    if text.isdecimal() and int(text):
        return _Unit(Fraction(int(text)), (), atoms=1)
    match = _EXPONENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    power = int(match["power"] or 1)
    if abs(power) > 30:
        raise ValueError(text)
    return _times(_Unit(Fraction(1), ()), _atom(match["name"]), power)


def _atom(name: str) -> _Unit:
    if (known := _known(name)) is not None:
        return known
    for length in (1, 2):
        rest = name[length:]
        if name[:length] in _PREFIXES and (rest in _BASE or rest in _METRIC) and (unit := _known(rest)) is not None:
            return unit._replace(factor=unit.factor * Fraction(10) ** _PREFIXES[name[:length]])
    raise ValueError(name)


def _known(name: str) -> _Unit | None:
    if name in _BASE or name in _ARBITRARY:
        return _Unit(Fraction(1), ((name.replace("[IU]", "[iU]"), 1),), atoms=1)
    if name == "Cel":  # in a compound (`W/Cel`) a degree is a difference
        return _Unit(Fraction(1), (("K", 1),), atoms=1)
    made = _PLAIN.get(name) or _METRIC.get(name)
    if made is None:
        return None
    of = _unit(made[1])
    return None if of is None else _Unit(Fraction(made[0]) * of.factor, of.kind, atoms=1)


def _times(one: _Unit, other: _Unit, power: int) -> _Unit:
    kinds = dict(one.kind)
    for name, exponent in other.kind:
        kinds[name] = kinds.get(name, 0) + exponent * power
    kind = tuple(sorted((name, exponent) for name, exponent in kinds.items() if exponent))
    return _Unit(one.factor * other.factor**power, kind, atoms=one.atoms + other.atoms)


def _name(kind: _Kind) -> str:
    return ".".join(name if exponent == 1 else f"{name}{exponent}" for name, exponent in kind) or "1"
