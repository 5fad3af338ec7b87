"""Connecting an Instagram account: what a look finds, how its webhook is set up, and how its token is renewed."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pydantic import BaseModel, SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.kernel.errors import Unavailable
from chatwright.ports.channel import CredentialsLost, Finding, HookRequest, InboxView
from chatwright.ports.sending import Reaction
from tests.channels.instagram.conftest import Gallery
from tests.serving import serving

DAY = 86_400
NOW = datetime.now(UTC)


def found(findings: Sequence[Finding]) -> dict[str, bool]:
    return {finding.name: finding.ok for finding in findings}


def settings_of(renewed: BaseModel) -> InstagramSettings:
    assert isinstance(renewed, InstagramSettings)
    return renewed


class TestLooking:
    async def test_everything_in_place(self, own_gallery: Gallery) -> None:
        findings = await own_gallery.channel.check(own_gallery.inbox)
        assert found(findings) == {"token": True, "subscription": True}
        assert own_gallery.shop.account["details"]["username"] in findings[0].words

    async def test_everything_in_place_behind_a_page(self, paged_gallery: Gallery) -> None:
        findings = await paged_gallery.channel.check(paged_gallery.inbox)
        assert found(findings) == {"token": True, "permissions": True, "subscription": True}

    async def test_the_id_that_is_only_the_app_s_is_told(self, own_gallery: Gallery) -> None:
        scoped = own_gallery.shop.account["details"]["app_scoped_id"]
        (token,) = await own_gallery.channel.check(own_gallery.with_settings(account_id=scoped))
        assert (token.ok, token.reaction) == (False, Reaction.RECONNECT)
        assert own_gallery.shop.id in token.words

    @pytest.mark.parametrize("subcode", [460, 0])
    async def test_a_token_that_is_good_no_longer(self, gallery: Gallery, subcode: int) -> None:
        await gallery.shop.occur("token_fault", subcode=subcode)
        (token,) = await gallery.channel.check(gallery.inbox)
        assert (token.ok, token.reaction) == (False, Reaction.RECONNECT)
        assert gallery.shop.token not in token.words

    async def test_nobody_there_says_nothing_about_the_account(self, gallery: Gallery) -> None:
        (token,) = await gallery.channel.check(gallery.with_settings(base_url="http://127.0.0.1:9"))
        assert (token.ok, token.reaction) == (False, Reaction.RETRY)


class TestConnecting:
    @pytest_asyncio.fixture(loop_scope="session")
    async def door(self, paged_gallery: Gallery) -> AsyncGenerator[InboxView[InstagramSettings]]:
        async def answer(request: Request) -> Response:
            given = HookRequest("GET", {}, dict(request.query_params), b"")
            return PlainTextResponse(paged_gallery.channel.handshake(paged_gallery.inbox, given))

        async with serving(Starlette(routes=[Route("/hooks/1", answer, methods=["GET"])])) as url:
            yield replace(paged_gallery.inbox, hook_url=f"{url}/hooks/1")

    async def test_the_account_tells_and_a_person_enters_the_address(self, own_gallery: Gallery) -> None:
        await own_gallery.channel.disconnect(own_gallery.inbox)
        assert not found(await own_gallery.channel.check(own_gallery.inbox))["subscription"]
        webhook, subscription = await own_gallery.channel.connect(own_gallery.inbox)
        assert own_gallery.inbox.hook_url in webhook.words
        assert own_gallery.inbox.hook_token not in webhook.words
        assert subscription.ok
        assert found(await own_gallery.channel.check(own_gallery.inbox))["subscription"]

    async def test_behind_a_page_the_app_is_pointed_at_us(
        self, paged_gallery: Gallery, door: InboxView[InstagramSettings]
    ) -> None:
        await paged_gallery.shop.ok("DELETE", f"{paged_gallery.shop.id}/subscribed_apps")
        assert found(await paged_gallery.channel.connect(door)) == {"webhook": True, "subscription": True}
        assert found(await paged_gallery.channel.check(door))["subscription"]
        path = f"/accounts/instagram/{paged_gallery.shop.id}"
        assert (await paged_gallery.shop.stage.control("GET", path))["webhook_url"] == door.hook_url


class TestRenewing:
    async def test_a_token_is_renewed_before_it_ends(self, own_gallery: Gallery) -> None:
        ends = NOW + timedelta(days=60)
        inbox = own_gallery.with_settings(token_expires_at=ends)
        assert own_gallery.channel.renew_at(inbox) == ends - timedelta(days=10)
        soon = own_gallery.channel.renew_at(own_gallery.inbox)
        assert soon is not None
        assert NOW + timedelta(hours=24) < soon < NOW + timedelta(hours=48)

    async def test_a_page_s_token_has_no_end(self, paged_gallery: Gallery) -> None:
        assert paged_gallery.channel.renew_at(paged_gallery.inbox) is None
        assert await paged_gallery.channel.renew(paged_gallery.inbox) == paged_gallery.inbox.settings

    async def test_another_sixty_days(self, own_gallery: Gallery) -> None:
        await own_gallery.shop.stage.control("POST", "/clock", advance=2 * DAY)
        renewed = settings_of(await own_gallery.channel.renew(own_gallery.inbox))
        assert renewed.access_token != own_gallery.inbox.settings.access_token
        assert renewed.token_expires_at is not None
        assert renewed.token_expires_at > NOW + timedelta(days=59)
        fresh = replace(own_gallery.inbox, settings=renewed)
        assert found(await own_gallery.channel.check(fresh))["token"]
        old = await own_gallery.channel.check(own_gallery.inbox)
        assert old[0].reaction is Reaction.RECONNECT

    async def test_a_token_of_today_stays(self, own_gallery: Gallery) -> None:
        assert await own_gallery.channel.renew(own_gallery.inbox) == own_gallery.inbox.settings

    async def test_one_that_is_due_and_not_renewed_is_tried_again(self, own_gallery: Gallery) -> None:
        inbox = own_gallery.with_settings(token_expires_at=NOW + timedelta(days=1))
        with pytest.raises(Unavailable):
            await own_gallery.channel.renew(inbox)

    @pytest.mark.parametrize("subcode", [460, 0])
    async def test_a_token_that_is_lost_needs_a_person(self, gallery: Gallery, subcode: int) -> None:
        await gallery.shop.occur("token_fault", subcode=subcode)
        with pytest.raises(CredentialsLost):
            await gallery.channel.renew(gallery.inbox)

    async def test_nobody_to_ask_is_no_loss(self, gallery: Gallery) -> None:
        with pytest.raises(Unavailable):
            await gallery.channel.renew(gallery.with_settings(base_url="http://127.0.0.1:9"))

    def test_the_new_token_is_as_secret_as_the_old_one(self) -> None:
        settings = InstagramSettings.model_validate(
            {"account_id": "1", "access_token": "IGAAold", "app_secrets": ["s"]}
        )
        renewed = settings.renewed("IGAAnew", NOW)
        assert isinstance(renewed.access_token, SecretStr)
        assert "IGAAnew" not in repr(renewed)
