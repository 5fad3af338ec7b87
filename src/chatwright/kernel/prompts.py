"""Starting points for people, as data: a prompt, and what they fill in."""

import re
from dataclasses import dataclass
from typing import Final

from chatwright.kernel.resources import Directory

OPERATION: Final = re.compile(r"{([a-z_]+\.[a-z_]+)}")
"""What stands for the tool of an operation in a recipe's words."""


@dataclass(frozen=True)
class Argument:
    """What a person fills in."""

    name: str
    description: str
    required: bool = False
    directory: Directory | None = None
    """Completes it; free text where there is none."""
    choices: tuple[str, ...] = ()
    """What else completes it."""


@dataclass(frozen=True)
class Recipe:
    """A prompt. `{conversations.get}` in its words stands for the tool of that operation."""

    name: str
    title: str
    description: str
    words: str
    arguments: tuple[Argument, ...]
    shows: tuple[str, ...] = ()
    """Paths of the resources that come with it, with arguments in braces; left out where one is not given."""

    @property
    def operations(self) -> frozenset[str]:
        """The operations whose tools the words name."""
        return frozenset(OPERATION.findall(self.words))
