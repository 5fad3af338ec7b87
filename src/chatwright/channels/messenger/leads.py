"""What somebody answered in a lead form: webhooks carry only its id (Lead Ads, Retrieving leads)."""

from collections.abc import Iterator
from dataclasses import replace

from chatwright.kernel.errors import Unavailable
from chatwright.net.graph.client import GraphClient, outcome_of, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_list, as_map, as_text
from chatwright.ports.channel import ProviderRefused
from chatwright.ports.inbound import InboundLead
from chatwright.ports.sending import Reaction

FIELDS = "field_data,form_id,ad_id"
_LATER = {Reaction.RETRY, Reaction.RETRY_AFTER, Reaction.UNKNOWN}


async def fetch_answers(client: GraphClient, lead: InboundLead) -> InboundLead:
    """The lead with its answers; raises Unavailable, or ProviderRefused with the reason."""
    try:
        reply = await client.get(path_of(lead.lead_id), fields=FIELDS)
    except (GraphError, NotSent, NoAnswer) as error:
        outcome = outcome_of(error)
        words = outcome.detail or "Meta did not give the lead out."
        raise (Unavailable if outcome.reaction in _LATER else ProviderRefused)(words) from error
    return replace(
        lead,
        form_id=lead.form_id or as_text(reply.body.get("form_id")),
        ad_id=lead.ad_id or as_text(reply.body.get("ad_id")),
        answers=dict(_answers(reply.body.get("field_data"))),
    )


def _answers(fields: object) -> Iterator[tuple[str, str]]:
    for one in as_list(fields):
        field = as_map(one)
        name = as_text(field.get("name"))
        values = [text for value in as_list(field.get("values")) if (text := as_text(value))]
        if name is not None and values:
            yield name, ", ".join(values)
