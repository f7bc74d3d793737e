"""Whether a narrative is safe to show: the XHTML that hl7.org/fhir/R4/narrative.html allows, and nothing that acts."""

import re
from html.entities import name2codepoint
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
_ELEMENTS = frozenset(
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4"
    " h5 h6 hr i img kbd li map ol p pre q samp small span strong strike sub sup table tbody td tfoot th thead tr tt"
    " u ul var".split()
)
_ATTRIBUTES = frozenset(
    " abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char"
    " charoff charset cite class color colspan compact coords dir frame headers height href hreflang"
    " hspace id lang longdesc name nohref nowrap rel rev rowspan rules scope shape span src start style"
    " summary tabindex title type usemap valign value vspace width xml:lang xml:space xmlns".split()
)
_ADDRESSES = frozenset({"href", "src", "cite", "longdesc", "usemap"})
_SAFE_ADDRESS = re.compile(
    r"(https?:|mailto:|tel:|urn:|#|data:image/(png|jpeg|gif|webp);base64,|[^:]*([/?#]|$))", re.IGNORECASE
)
_UNSAFE_STYLE = re.compile(
    r"url\s*\(|expression\s*\(|javascript:|@import|behaviou?r\s*:|-moz-binding|\\", re.IGNORECASE
)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})


class _Refused(ValueError):
    pass


def fault(div: str) -> str | None:
    """What is wrong with a narrative's div, in words; None when it may be shown as it stands."""
    content: list[str] = []
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == 0 and (name != "div" or attributes.get("xmlns") != XHTML):
            raise _Refused(f'a narrative is one <div xmlns="{XHTML}">')
        depth += 1
        if depth > 200:
            raise _Refused("elements are nested too deeply")
        if name not in _ELEMENTS:
            raise _Refused("an element that a narrative may not have (only plain formatting is allowed)")
        if name == "img":
            content.append("img")
        for attribute, value in attributes.items():
            _check_attribute(attribute, value)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise _Refused("a narrative has no document type or entities of its own")

    def text(data: str) -> None:
        if data.strip():
            content.append(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler, parser.CharacterDataHandler = doctype, text
    parser.ProcessingInstructionHandler = doctype
    try:
        parser.Parse(_ENTITY.sub(_numbered, div), True)
    except _Refused as refused:
        return str(refused)
    except expat.ExpatError:
        return "not well-formed XHTML"
    return None if content else "a narrative must have content that can be read"


def _check_attribute(name: str, value: str) -> None:
    if name not in _ATTRIBUTES:
        raise _Refused("an attribute that a narrative may not have (no events, no scripts)")
    if name in _ADDRESSES:
        plain = "".join(letter for letter in value if letter > " " and letter != "\x7f")
        if _SAFE_ADDRESS.match(plain) is None:
            raise _Refused("an address that may act when it is followed")
    elif name == "style" and _UNSAFE_STYLE.search(value):
        raise _Refused("a style that fetches or acts")
    elif name == "xmlns" and value != XHTML:
        raise _Refused("a namespace other than XHTML's")


def _numbered(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_OWN or name not in name2codepoint:
        return match[0]
    return f"&#{name2codepoint[name]};"
