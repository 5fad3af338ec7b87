"""Where the marked fields of an operation's output are, at any depth: what is detail, and whose words they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, Final, cast, get_args

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from chatwright.kernel.operation import DETAIL, OUTSIDE, Mark


@dataclass(frozen=True)
class Shape:
    """The marked fields of a model, and its fields that hold models with such fields, also in lists."""

    detail: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    inner: Mapping[str, "Shape"] = field(default_factory=dict[str, "Shape"])

    @cached_property
    def marks(self) -> frozenset[Mark]:
        """The marks that are found anywhere in it."""
        own = {mark for mark, names in ((DETAIL, self.detail), (OUTSIDE, self.outside)) if names}
        return frozenset[Mark](own).union(*(shape.marks for shape in self.inner.values()))

    def all_detail(self) -> Iterator[str]:
        """The names of the fields that are detail, at any depth."""
        yield from sorted(self.detail)
        for shape in self.inner.values():
            yield from shape.all_detail()


_PLAIN: Final = Shape()
_CONTAINERS: Final = frozenset({dict, list})


@cache
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a model."""
    return _shape(model, frozenset())


@cache
def shape_of_preview(model: type[BaseModel]) -> Shape:
    """The shape of a model as previews show it, where the items of a long list stand under `first`."""
    return _previewed(shape_of(model))


def _previewed(shape: Shape) -> Shape:
    inner: dict[str, Shape] = {}
    for name, found in shape.inner.items():
        below = _previewed(found)
        inner[name] = replace(below, inner={**below.inner, "first": below})
    return replace(shape, inner=inner)


def as_told(value: Any, shape: Shape, *, full: bool) -> Any:  # noqa: ANN401 - any JSON value.
    """A result without the fields that are null, and without those that are detail unless all of it is wanted.

    Nulls in lists keep their places.
    """
    if isinstance(value, dict):
        inner, left_out = shape.inner, () if full else shape.detail
        return {
            name: as_told(field, inner.get(name, _PLAIN), full=full) if type(field) in _CONTAINERS else field
            for name, field in cast("dict[str, Any]", value).items()
            if field is not None and name not in left_out
        }
    if isinstance(value, list):
        return [as_told(item, shape, full=full) for item in cast("list[Any]", value)]
    return value


def outside_words(value: Any, shape: Shape, place: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value.
    """Where in a result there is something that people outside wrote.

    Each place comes as a JSON pointer (RFC 6901), and as the same path in general: `items[].content`.
    """
    if OUTSIDE in shape.marks:
        yield from _outside_words(value, shape, place, "")


def _outside_words(value: Any, shape: Shape, place: str, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value.
    if isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value)):
            yield from _outside_words(item, shape, f"{place}/{number}", f"{path}[]")
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            if name in shape.outside:
                if inner:
                    yield f"{place}/{name}", _below(path, name)
            elif name in shape.inner:
                yield from _outside_words(inner, shape.inner[name], f"{place}/{name}", _below(path, name))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shape(model: type[BaseModel], above: frozenset[type[BaseModel]]) -> Shape:
    """The shape of a model. One that contains itself is looked at once."""
    if model in above:
        return _PLAIN
    marked = {
        mark: frozenset(name for name, info in model.model_fields.items() if mark in info.metadata)
        for mark in (DETAIL, OUTSIDE)
    }
    inner = {
        name: shape
        for name, info in model.model_fields.items()
        if (shape := _joined([_shape(found, above | {model}) for found in _models_in(info.annotation)])).marks
    }
    return Shape(marked[DETAIL], marked[OUTSIDE], inner) if inner or any(marked.values()) else _PLAIN


def _joined(shapes: list[Shape]) -> Shape:
    """The shape of a union, whose kinds name their fields so that one name means one thing."""
    if len(shapes) == 1:
        return shapes[0]
    inner: dict[str, Shape] = {}
    for shape in shapes:
        for name, found in shape.inner.items():
            inner[name] = _joined([inner[name], found]) if name in inner else found
    nothing = frozenset[str]()
    return Shape(
        nothing.union(*(shape.detail for shape in shapes)),
        nothing.union(*(shape.outside for shape in shapes)),
        inner,
    )


def _models_in(hint: object) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    elif isinstance(hint, TypeAliasType):
        yield from _models_in(hint.__value__)
    else:
        for part in get_args(hint):
            yield from _models_in(part)
