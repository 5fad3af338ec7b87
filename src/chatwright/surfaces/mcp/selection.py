"""Which of the tools that a caller may use it wants to see: chosen by URL or header, per request.

A selection only ever narrows. It says what is listed; a chosen one (anything but the default) also says what can
be called, so that a client which was set up read-only stays so.
"""

from dataclasses import dataclass, field

from chatwright.kernel.operation import AnyOperation


@dataclass(frozen=True, slots=True)
class Selection:
    """Toolsets by name, and what to leave out."""

    toolsets: frozenset[str] = field(default_factory=frozenset[str])
    """Names of toolsets; empty for the default ones."""
    read_only: bool = False
    """Leaves out every tool that writes."""
    excluded: frozenset[str] = field(default_factory=frozenset[str])
    """Names of tools to leave out."""

    def allows(self, operation: AnyOperation) -> bool:
        """Whether the operation can be called under this selection at all."""
        return operation.tool not in self.excluded and not (self.read_only and operation.writes)


DEFAULT = Selection()
