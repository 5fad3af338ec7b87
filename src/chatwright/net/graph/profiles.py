"""Who somebody is: events of Messenger and Instagram carry an id alone, and the Graph API knows the name to it.

Meta gives names out only of people who wrote to the account, and not of all (Messenger Platform and Instagram
Messaging, User profile). Both are asked in the same way, so this stands below both channels.
"""

from collections.abc import Mapping

from chatwright.net.graph.client import GraphClient, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_text
from chatwright.ports.inbound import Person


async def find_profile(client: GraphClient, kind: str, address: str, fields: str) -> Person | None:
    """Somebody by their id, which is of this kind; None where Meta does not tell, or nobody has such an id."""
    if not address.isdecimal():
        return None
    try:
        told = (await client.get(path_of(address), fields=fields)).body
    except (GraphError, NotSent, NoAnswer):
        return None
    return Person(
        {kind: address},
        name=_name_in(told),
        locale=as_text(told.get("locale")),
        username=as_text(told.get("username")),
    )


def _name_in(told: Mapping[str, object]) -> str | None:
    parts = (as_text(told.get("first_name")), as_text(told.get("last_name")))
    whole = " ".join(part for part in parts if part)
    return as_text(told.get("name")) or whole or as_text(told.get("username"))
