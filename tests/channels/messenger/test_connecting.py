"""Connecting a page: what a look finds, in words, and how its webhook is set up."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chatwright.channels.messenger.settings import MessengerSettings
from chatwright.kernel.errors import Forbidden
from chatwright.ports.channel import Finding, HookRequest, InboxView
from chatwright.ports.sending import Reaction
from tests.channels.messenger.conftest import Counter
from tests.serving import serving


def found(findings: list[Finding]) -> dict[str, bool]:
    return {finding.name: finding.ok for finding in findings}


async def look(counter: Counter, inbox: InboxView[MessengerSettings] | None = None) -> list[Finding]:
    return list(await counter.channel.check(inbox or counter.inbox))


@pytest_asyncio.fixture(loop_scope="session")
async def door(counter: Counter) -> AsyncGenerator[InboxView[MessengerSettings]]:
    """The inbox behind a door that answers Meta's question as ours does."""

    async def answer(request: Request) -> Response:
        given = HookRequest("GET", dict(request.headers), dict(request.query_params), b"")
        try:
            return PlainTextResponse(counter.channel.handshake(counter.inbox, given))
        except Forbidden:
            return Response(status_code=403)

    async with serving(Starlette(routes=[Route("/hooks/1", answer, methods=["GET"])])) as url:
        yield replace(counter.inbox, hook_url=f"{url}/hooks/1")


class TestLooking:
    async def test_everything_in_place(self, counter: Counter) -> None:
        findings = await look(counter)
        assert found(findings) == {"token": True, "permissions": True, "subscription": True}
        assert counter.shop.account["name"] in findings[0].words

    @pytest.mark.parametrize(("subcode", "reaction"), [(460, Reaction.RECONNECT), (0, Reaction.RECONNECT)])
    async def test_a_token_that_is_good_no_longer(
        self, counter: Counter, subcode: int, reaction: Reaction
    ) -> None:
        await counter.shop.occur("token_fault", subcode=subcode)
        (token,) = await look(counter)
        assert (token.name, token.ok, token.reaction) == ("token", False, reaction)
        assert counter.shop.token not in token.words

    async def test_a_token_of_another_page(self, counter: Counter) -> None:
        (token,) = await look(counter, counter.with_settings(page_id="4711"))
        assert (token.ok, token.reaction) == (False, Reaction.RECONNECT)

    async def test_a_secret_of_another_app(self, counter: Counter) -> None:
        secrets = MessengerSettings.model_validate(
            {"page_id": "1", "access_token": "t", "app_secrets": ["of another app"]}
        ).app_secrets
        (token,) = await look(counter, counter.with_settings(app_secrets=secrets))
        assert (token.ok, token.reaction) == (False, Reaction.RECONNECT)

    async def test_nobody_there_says_nothing_about_the_page(self, counter: Counter) -> None:
        (token,) = await look(counter, counter.with_settings(base_url="http://127.0.0.1:9"))
        assert (token.ok, token.reaction) == (False, Reaction.RETRY)

    async def test_what_the_page_does_not_tell_us_of_is_named(self, counter: Counter) -> None:
        await counter.channel.disconnect(counter.inbox)
        await counter.shop.ok("POST", f"{counter.shop.id}/subscribed_apps", subscribed_fields="messages")
        *_, subscription = await look(counter)
        assert (subscription.ok, subscription.reaction) == (False, None)
        assert "message_deliveries" in subscription.words
        assert "messages," not in subscription.words

    async def test_without_an_app_id_permissions_are_not_looked_at(self, counter: Counter) -> None:
        findings = await look(counter, counter.with_settings(app_id=None))
        assert found(findings) == {"token": True, "subscription": True}


class TestConnecting:
    async def test_the_page_tells_and_the_app_calls(
        self, counter: Counter, door: InboxView[MessengerSettings]
    ) -> None:
        await counter.channel.disconnect(counter.inbox)
        assert found(list(await counter.channel.connect(door))) == {"webhook": True, "subscription": True}
        path = f"/accounts/messenger/{counter.shop.id}"
        assert (await counter.shop.stage.control("GET", path))["webhook_url"] == door.hook_url
        assert (await look(counter))[-1].ok
        assert found(list(await counter.channel.connect(door))) == {"webhook": True, "subscription": True}

    async def test_comments_and_leads_only_where_they_are_wanted(
        self, counter: Counter, door: InboxView[MessengerSettings]
    ) -> None:
        await counter.channel.disconnect(counter.inbox)
        for wanted in (False, True):
            settings = door.settings.model_copy(update={"comments": wanted, "leads": wanted})
            await counter.channel.connect(replace(door, settings=settings))
            apps = (await counter.shop.ok("GET", f"{counter.shop.id}/subscribed_apps"))["data"]
            assert ({"feed", "leadgen"} <= set(apps[0]["subscribed_fields"])) is wanted

    async def test_a_door_that_meta_does_not_find_can_be_entered_by_hand(self, counter: Counter) -> None:
        inbox = replace(counter.inbox, hook_url="http://127.0.0.1:9/hooks/1")
        webhook, subscription = await counter.channel.connect(inbox)
        assert (webhook.ok, webhook.reaction) == (False, None)
        assert inbox.hook_url in webhook.words
        assert inbox.hook_token not in webhook.words
        assert subscription.ok

    async def test_without_an_app_id_the_webhook_is_entered_by_hand(self, counter: Counter) -> None:
        webhook, subscription = await counter.channel.connect(counter.with_settings(app_id=None))
        assert counter.inbox.hook_url in webhook.words
        assert subscription.ok

    async def test_nobody_there_is_told(self, counter: Counter) -> None:
        away = counter.with_settings(base_url="http://127.0.0.1:9")
        assert [finding.ok for finding in await counter.channel.connect(away)] == [False, False]
        await counter.channel.disconnect(away)
