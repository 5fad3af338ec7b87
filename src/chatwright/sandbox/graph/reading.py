"""Reading a call's JSON with the provider's own complaints."""

from collections.abc import Callable
from typing import Any, cast

from chatwright.sandbox.graph.errors import GraphError

Complain = Callable[[str], GraphError]


class Part:
    """An object within a call's body."""

    def __init__(self, value: object, path: str, *, lacking: Complain, wrong: Complain) -> None:
        self._lacking = lacking
        self._wrong = wrong
        self.path = path
        if not isinstance(value, dict):
            raise wrong(f"{path or 'The body'} must be a JSON object.")
        self.fields = cast("dict[str, Any]", value)

    def wrong(self, details: str) -> GraphError:
        """Something in here is not as it must be."""
        return self._wrong(details)

    def has(self, name: str) -> bool:
        return self.fields.get(name) is not None

    def text(self, name: str, *, most: int | None = None, least: int = 1) -> str:
        """A required text of so many characters."""
        if not self.has(name):
            raise self._lacking(self._at(name))
        value = self.fields[name]
        if not isinstance(value, str):
            raise self._wrong(f"Param {self._at(name)} must be a string.")
        if len(value) < least:
            raise self._wrong(f"Param {self._at(name)} must be at least {least} characters long.")
        if most is not None and len(value) > most:
            raise self._wrong(f"Param {self._at(name)} must be at most {most} characters long.")
        return value

    def text_or_none(self, name: str, *, most: int | None = None) -> str | None:
        """A text that may be left out."""
        return self.text(name, most=most, least=0) if self.has(name) else None

    def number(self, name: str) -> float:
        """A required number; texts that hold one are taken too."""
        if not self.has(name):
            raise self._lacking(self._at(name))
        try:
            return float(self.fields[name])
        except (TypeError, ValueError):
            raise self._wrong(f"Param {self._at(name)} must be a number.") from None

    def part(self, name: str) -> "Part":
        """A required object."""
        if not self.has(name):
            raise self._lacking(self._at(name))
        return Part(self.fields[name], self._at(name), lacking=self._lacking, wrong=self._wrong)

    def part_or_none(self, name: str) -> "Part | None":
        """An object that may be left out."""
        return self.part(name) if self.has(name) else None

    def parts(self, name: str, *, least: int = 1, most: int | None = None) -> "list[Part]":
        """A required list of so many objects."""
        value: object = self.fields.get(name)
        if value is None:
            raise self._lacking(self._at(name))
        if not isinstance(value, list):
            raise self._wrong(f"Param {self._at(name)} must be a list.")
        found = cast("list[object]", value)
        if len(found) < least or (most is not None and len(found) > most):
            raise self._wrong(
                f"Invalid {name} count. Min allowed {name}: {least}, Max allowed {name}: {most}."
            )
        return [
            Part(one, f"{self._at(name)}[{index}]", lacking=self._lacking, wrong=self._wrong)
            for index, one in enumerate(found)
        ]

    def _at(self, name: str) -> str:
        return f"{self.path}['{name}']" if self.path else name
