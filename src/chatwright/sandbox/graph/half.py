"""What WhatsApp has for itself, and what Messenger and Instagram share."""

from typing import Any, Protocol

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson
from chatwright.sandbox.graph.answers import Edges
from chatwright.sandbox.provider import Action, NewAccount, NewPerson


class Half(Protocol):
    """One family of accounts."""

    edges: Edges
    """Its nodes and edges of the API."""

    def create_account(self, new: NewAccount, account: GraphAccount) -> GraphAccount:
        """Complete an account."""
        ...

    def create_person(self, account: GraphAccount, new: NewPerson) -> GraphPerson:
        """Make a person."""
        ...

    def act(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """See `Provider.act`."""
        ...

    def occur(self, account: GraphAccount, name: str, values: dict[str, Any]) -> str | None:
        """See `Provider.occur`."""
        ...
