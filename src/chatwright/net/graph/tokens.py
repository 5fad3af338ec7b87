"""Whether an access token is lost, or only refused for a moment.

Meta answers code 190 without a subcode at times for a token that is good (Graph API, Handling errors; seen by
several products), so that one refusal alone must not disconnect an inbox: the token is tried once more.
"""

from chatwright.kernel.errors import Unavailable
from chatwright.net.graph.client import GraphClient, outcome_of, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.http import NoAnswer, NotSent
from chatwright.ports.channel import CredentialsLost
from chatwright.ports.sending import Reaction

_LOST = {Reaction.RECONNECT, Reaction.REFRESH_TOKEN}


async def try_out(client: GraphClient, node: str) -> None:
    """Return if the token opens this node; raises CredentialsLost, or Unavailable when nobody can say now."""
    try:
        await client.get(path_of(node), fields="id")
    except (GraphError, NotSent, NoAnswer) as error:
        raise_if_lost(error)
        message = "Meta does not say whether the access token is still good."
        raise Unavailable(message) from error


def raise_if_lost(error: GraphError | NotSent | NoAnswer) -> None:
    """Raise CredentialsLost for an error after which only a person can let us in again."""
    outcome = outcome_of(error)
    if outcome.reaction in _LOST:
        raise CredentialsLost(outcome.detail or "Meta does not accept the access token.") from error
