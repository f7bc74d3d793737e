"""FHIRPath text to a small tree. The parsing is fhirpathpy's; its tree is ten times larger than evaluation needs.

A tree is a list whose first item tells its kind:
["member", name] · [".", left, right] · ["call", name, [arguments]] · ["op", sign, left, right] · ["minus", tree] ·
["literal", value] · ["decimal", text] · ["instant", text] · ["quantity", text] · ["empty"] · ["variable", name] ·
["this"] · ["position"] · ["total"] · ["at", tree, index] · ["is", tree, type] · ["as", tree, type]
"""

import re
from typing import Any

Tree = list[Any]

_BINARY = {
    "MultiplicativeExpression",
    "AdditiveExpression",
    "UnionExpression",
    "InequalityExpression",
    "EqualityExpression",
    "MembershipExpression",
    "AndExpression",
    "OrExpression",
    "ImpliesExpression",
}
_TRANSPARENT = {
    "EntireExpression",
    "TermExpression",
    "InvocationTerm",
    "ParenthesizedTerm",
    "LiteralTerm",
    "FunctionInvocation",
    "ExternalConstantTerm",
}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}


def parse(expression: str) -> Tree:
    """The tree of an expression. Raises ValueError when it is not FHIRPath (small slips the parser mends by itself)."""
    import fhirpathpy  # at need: a server whose rules are all packed never loads it

    parser: Any = fhirpathpy.parser
    try:
        return _shrink(parser.parse(expression))
    except Exception as error:
        raise ValueError(f"not a FHIRPath expression: {error}") from error


def _shrink(node: dict[str, Any]) -> Tree:
    kind: str = node.get("type", "")
    children: list[dict[str, Any]] = node.get("children", [])
    words: list[str] = node.get("terminalNodeText", [])
    if not kind or kind in _TRANSPARENT:
        return _shrink(children[0])
    if kind == "InvocationExpression":
        return [".", _shrink(children[0]), _shrink(children[1])]
    if kind == "MemberInvocation":
        return ["member", _identifier(children[0])]
    if kind == "Functn":
        arguments = [_shrink(child) for child in children[1]["children"]] if len(children) > 1 else []
        return ["call", _identifier(children[0]), arguments]
    if kind in _BINARY:
        return ["op", words[0], _shrink(children[0]), _shrink(children[1])]
    if kind == "TypeExpression":
        return [words[0], _shrink(children[0]), children[1]["text"]]
    if kind == "IndexerExpression":
        return ["at", _shrink(children[0]), _shrink(children[1])]
    if kind == "PolarityExpression":
        return ["minus", _shrink(children[0])] if words[0] == "-" else _shrink(children[0])
    if kind == "ExternalConstant":
        return ["variable", _identifier(children[0])]
    return _leaf(kind, node)


def _leaf(kind: str, node: dict[str, Any]) -> Tree:
    words: list[str] = node.get("terminalNodeText", [])
    if kind == "StringLiteral":
        return ["literal", _unescape(words[0][1:-1])]
    if kind == "NumberLiteral":
        return ["decimal", words[0]] if "." in words[0] else ["literal", int(words[0])]
    if kind == "BooleanLiteral":
        return ["literal", words[0] == "true"]
    if kind in ("DateTimeLiteral", "DateLiteral", "TimeLiteral"):
        return ["instant", words[0].removeprefix("@").removeprefix("T")]
    named = {
        "NullLiteral": "empty",
        "ThisInvocation": "this",
        "IndexInvocation": "position",
        "TotalInvocation": "total",
    }
    if kind in named:
        return [named[kind]]
    if kind == "QuantityLiteral":
        return ["quantity", node["text"]]
    raise ValueError(f"unknown part {kind}")


def _identifier(node: dict[str, Any]) -> str:
    text: str = node["terminalNodeText"][0] if node.get("terminalNodeText") else node["text"]
    return _unescape(text[1:-1]) if text[0] in "`'" else text


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 5 else _ESCAPED.get(found[1], found[1]), text
    )
