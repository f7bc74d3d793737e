"""FHIRPath, compiled for the expressions that R4 itself and most profiles use; fhirpathpy for the remainder.

Owns: parsing, compiling, evaluating on FHIR JSON as plain dicts. Refuses: looking anything up outside the resource.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bedside.fhir.fhirpath.compiler import compile_tree
from bedside.fhir.fhirpath.parts import Scope, Tree, Unsupported
from bedside.fhir.fhirpath.syntax import parse
from bedside.fhir.fhirpath.values import truth

__all__ = ["Evaluate", "Scope", "Unsupported", "compiled", "expression", "parse", "truth"]

Evaluate = Callable[[Any], list[Any]]


def compiled(tree: Tree, type_: str) -> Evaluate:
    """A function from a resource of the type to what the tree yields on it. Raises Unsupported."""
    run = compile_tree(tree, frozenset({type_})).run

    def evaluate(resource: Any) -> list[Any]:
        return run([resource], [resource], Scope(resource, resource, resource))

    return evaluate


@lru_cache(1024)
def expression(text: str, type_: str) -> Evaluate:
    """As `compiled`, from text; what this compiler does not know runs on fhirpathpy. Raises ValueError if malformed."""
    tree = parse(text)
    try:
        return compiled(tree, type_)
    except Unsupported:
        import fhirpathpy  # slow, and seldom needed
        from fhirpathpy.models import models

        general: Any = fhirpathpy
        evaluate: Evaluate = general.compile(text, models["r4"])
        return evaluate
