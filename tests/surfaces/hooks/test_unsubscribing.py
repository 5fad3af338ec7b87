"""The link that stops messages: mail programs post to it, people see a page."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from chatwright.channels.email.tokens import MailTokens
from chatwright.features.contacts.operations import find_contacts, list_consents
from chatwright.features.messaging.inboxes.operations import create_inbox, delete_inbox
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.kernel.ids import new_id
from chatwright.surfaces.hooks.routes import hook_routes
from tests.conftest import Desk
from tests.serving import serving

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
EMAIL = {
    "password": "secret",
    "imap_host": "mail.shop.test",
    "smtp_host": "mail.shop.test",
}


@dataclass(frozen=True)
class Links:
    """A server with an inbox whose mails carry links."""

    desk: Desk
    inbox_id: UUID
    client: httpx2.AsyncClient

    def link(self, address: str = "ann@people.test") -> str:
        return f"/u/{MailTokens(self.desk.product.cipher).unsubscribe_token(self.inbox_id, address)}"

    async def consents(self, address: str = "ann@people.test") -> list[dict[str, Any]]:
        """What somebody allowed, after everything that came in was worked."""
        product = self.desk.product
        for ledger in product.ledgers:
            claimer = Claimer(product.database, product.signals, ledger)
            while await claimer.run_once():
                pass
        found = await self.desk.call(find_contacts, identity=address)
        if not found["items"]:
            return []
        return (await self.desk.call(list_consents, contact_id=found["items"][0]["id"]))["items"]


@pytest_asyncio.fixture(loop_scope="session")
async def links(desk: Desk) -> AsyncGenerator[Links]:
    settings = {**EMAIL, "address": f"{new_id().hex}@shop.test"}
    inbox = await desk.call(create_inbox, channel="email", name="Shop <b>", settings=settings)
    product = desk.product
    routes = hook_routes(product.database, product.signals, RateLimiter(product.database))
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url) as client:
        yield Links(desk, UUID(inbox["id"]), client)


async def test_one_post_is_all_it_takes(links: Links) -> None:
    answer = await links.client.post(links.link(), data=ONE_CLICK)
    assert answer.status_code == 200
    (consent,) = await links.consents()
    assert (consent["channel"], consent["state"]) == ("email_marketing", "opted_out")
    assert consent["source"] == "one-click unsubscribe"


async def test_to_look_at_the_link_changes_nothing(links: Links) -> None:
    answer = await links.client.get(links.link())
    assert answer.status_code == 200
    assert 'method="post"' in answer.text
    assert "Shop &lt;b&gt;" in answer.text
    assert (await links.client.head(links.link())).status_code == 200
    assert await links.consents() == []


async def test_many_clicks_at_once_are_one(links: Links) -> None:
    link = links.link()
    for _ in range(5):
        assert (await links.client.post(link, data=ONE_CLICK)).status_code == 200
    async with links.desk.product.database.autocommit() as unit:
        rows = await unit.connection.fetch(
            "select dedupe_key from inbound_events where inbox_id = $1", links.inbox_id
        )
    # Two when a minute ends meanwhile.
    assert len(rows) in {1, 2}


@pytest.mark.parametrize("change", ["cut", "altered", "other inbox", "no inbox", "rubbish", "letters"])
async def test_a_link_that_we_did_not_make(links: Links, change: str) -> None:
    link = links.link()
    wrong = {
        "cut": link[:-3],
        "altered": link[:-2] + ("AA" if link[-2:] != "AA" else "BB"),
        "other inbox": f"/u/{'0' * 32}{link[35:]}",
        "no inbox": f"/u/{link[35:]}",
        "rubbish": "/u/x",
        "letters": f"/u/{links.inbox_id.hex}%C3%A4",
    }[change]
    for answer in (await links.client.get(wrong), await links.client.post(wrong, data=ONE_CLICK)):
        assert answer.status_code == 404
        assert "does not work" in answer.text
    assert await links.consents() == []


async def test_an_inbox_of_another_channel_has_no_links(links: Links) -> None:
    inbox = await links.desk.call(create_inbox, channel="webchat", name="Chat")
    answer = await links.client.post(f"/u/{UUID(inbox['id']).hex}AAAA", data=ONE_CLICK)
    assert answer.status_code == 404


async def test_the_address_is_not_in_the_link(links: Links) -> None:
    first, again = links.link(), links.link()
    assert first != again
    assert "YW5uQHBlb3BsZS50ZXN0" not in first


async def test_an_inbox_that_is_gone_has_no_links(links: Links) -> None:
    await links.desk.call(delete_inbox, inbox_id=str(links.inbox_id))
    assert (await links.client.post(links.link(), data=ONE_CLICK)).status_code == 404
