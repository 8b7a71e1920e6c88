"""How two JSON schemas compare: does the new one refuse what was sent, or answer what nobody was told of?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Schemas", "narrowed", "widened"]

Node = Mapping[str, Any]

_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_FORMS: Final = ("pattern", "format", "contentEncoding", "const")


@dataclass(frozen=True)
class Schemas:
    """Two documents, whose references lead to their own parts; ``seen`` are the pairs compared already."""

    old: Node
    new: Node
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def resolved(self, old: Node, new: Node, *, how: str) -> tuple[Node, Node] | None:
        """The schemas that the two mean; None where the same two references were compared before."""
        if "$ref" in old or "$ref" in new:
            pair = (how, str(old.get("$ref", id(old))), str(new.get("$ref", id(new))))
            if pair in self.seen:
                return None
            self.seen.add(pair)
        return _follow(old, self.old), _follow(new, self.new)


def _follow(schema: Node, document: Node) -> Node:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def narrowed(old: Node, new: Node, schemas: Schemas, place: str) -> Iterator[str]:
    """What a request may have had and may have no more."""
    pair = schemas.resolved(old, new, how="request")
    if pair is None:
        return
    old, new = pair
    yield from _refused_variants(old, new, schemas, place)
    yield from _types(old, new, place, says="is not accepted any more")
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{place}.{name} became required"
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from narrowed(schema, new["properties"][name], schemas, f"{place}.{name}")
        elif new.get("additionalProperties") is False:
            yield f"{place}.{name} is not accepted any more"
    yield from _limits(old, new, place)
    if "enum" in new and (lost := _removed(old, new)):
        yield f"{place}: {lost} not accepted any more"
    yield from narrowed(old.get("items", {}), new.get("items", {}), schemas, f"{place}[]") if "items" in new else ()


def widened(old: Node, new: Node, schemas: Schemas, place: str) -> Iterator[str]:
    """What a response always had and may lack, or never had and may have where callers did not expect it."""
    pair = schemas.resolved(old, new, how="response")
    if pair is None:
        return
    old, new = pair
    yield from _unknown_variants(old, new, schemas, place)
    yield from _types(new, old, place, says="is new")
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{place}.{name} is gone"
        else:
            if name in old.get("required", []) and name not in new.get("required", []):
                yield f"{place}.{name} may be missing"
            yield from widened(schema, new["properties"][name], schemas, f"{place}.{name}")
    if "enum" in old:
        yield from _enum_changes(old, new, place)
    if "items" in old:
        yield from widened(old["items"], new.get("items", {}), schemas, f"{place}[]")
    if isinstance(values := old.get("additionalProperties"), Mapping):
        later = new.get("additionalProperties", {})
        yield from widened(values, later if isinstance(later, Mapping) else {}, schemas, f"{place}.*")


def _variants(schema: Node) -> list[Node]:
    return list(schema.get("anyOf") or schema.get("oneOf") or [])


def _refused_variants(old: Node, new: Node, schemas: Schemas, place: str) -> Iterator[str]:
    given, accepted = _variants(old), _variants(new)
    if not given and not accepted:
        return
    accepted = accepted or [new]
    for number, variant in enumerate(given or [old]):
        if all(any(narrowed(variant, other, _afresh(schemas), place)) for other in accepted):
            yield f"{place}: variant {number} is not accepted any more"


def _unknown_variants(old: Node, new: Node, schemas: Schemas, place: str) -> Iterator[str]:
    known = _variants(old)
    if not known:
        if _variants(new):
            yield f"{place} became one of several"
        return
    for number, variant in enumerate(_variants(new) or [new]):
        if all(any(widened(other, variant, _afresh(schemas), place)) for other in known):
            yield f"{place}: variant {number} is new"


def _afresh(schemas: Schemas) -> Schemas:
    """A trial's comparisons say nothing of those to come."""
    return Schemas(schemas.old, schemas.new, set(schemas.seen))


def _types(wide: Node, narrow: Node, place: str, *, says: str) -> Iterator[str]:
    """Types that ``wide`` has beyond those of ``narrow``."""
    if "type" not in narrow:
        return
    if "type" not in wide:
        if not (wide.keys() & {"anyOf", "oneOf", "enum", "const"}):
            yield f"{place}: any type but {narrow['type']} {says}"
        return
    kinds, others = _kinds(wide), _kinds(narrow)
    if "number" in others:
        others |= {"integer"}
    for kind in sorted(kinds - others):
        yield f"{place}: type {kind} {says}"


def _kinds(schema: Node) -> set[str]:
    given = schema["type"]
    return {given} if isinstance(given, str) else set(given)


def _limits(old: Node, new: Node, place: str) -> Iterator[str]:
    for name in (*_UPPER, *_LOWER):
        if name not in new:
            continue
        sign = 1 if name in _UPPER else -1
        if name not in old or sign * new[name] < sign * old[name]:
            yield f"{place}: {name} is {new[name]}, was {old.get(name, 'not limited')}"
    for name in _FORMS:
        if name in new and new[name] != old.get(name):
            yield f"{place}: {name} is {new[name]!r}, was {old.get(name)!r}"


def _removed(old: Node, new: Node) -> str:
    if "enum" not in old:
        return "" if "const" in old and old["const"] in new["enum"] else "values outside the new enum are"
    return ", ".join(sorted(map(repr, set(old["enum"]) - set(new["enum"]))))


def _enum_changes(old: Node, new: Node, place: str) -> Iterator[str]:
    """Callers handle each value they were told of, and none that they were not."""
    if "enum" not in new and "const" not in new:
        yield f"{place}: any value is possible"
        return
    before, after = set(old["enum"]), set(new.get("enum", [new.get("const")]))
    for value in sorted(map(repr, after - before)):
        yield f"{place}: value {value} is new"
    for value in sorted(map(repr, before - after)):
        yield f"{place}: value {value} is gone"
