"""Whether two templates say the same, as a pure decision."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from chatwright.ports.templates import ProviderTemplate, TemplateDraft

_SAMPLES: Final = "example"
"""Values for those who review a template; providers keep them under other addresses."""
_KINDS: Final = frozenset({"type", "format"})
"""Fields whose words count in capitals as in small letters."""


def is_of(there: ProviderTemplate, draft: TemplateDraft) -> bool:
    """Whether a provider's template is what a draft asks for: it holds all of that, and no other components.

    The category is the provider's to change, and a template that is being deleted is no answer to a draft.
    """
    if there.status == "deleted" or (there.name, there.language) != (draft.name, draft.language):
        return False
    return _holds(_in_order(there.components), _in_order(draft.components))


def _in_order(components: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Providers give header, body, footer and buttons in an order of their own."""
    return sorted(components, key=lambda component: str(component.get("type")).upper())


def _holds(theirs: object, ours: object) -> bool:
    """Whether theirs has every value of ours; fields that providers add are their own."""
    match ours:
        case dict():
            fields = cast("dict[str, object]", ours)
            return isinstance(theirs, dict) and all(
                _same_field(name, cast("dict[str, object]", theirs).get(name), value)
                for name, value in fields.items()
                if name != _SAMPLES
            )
        case list():
            wanted, found = cast("list[object]", ours), cast("list[object]", theirs)
            return isinstance(theirs, list) and len(found) == len(wanted) and all(map(_holds, found, wanted))
        case _:
            return theirs == ours


def _same_field(name: str, theirs: object, ours: object) -> bool:
    if name in _KINDS:
        return str(theirs).upper() == str(ours).upper()
    return _holds(theirs, ours)
