"""Connecting provider accounts: live checks, secrets that never come out, health, renewal."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest
from structlog.testing import capture_logs

from chatwright.features.messaging.errors import (
    AccountConnected,
    InboxNotReady,
    OtherAccount,
    ProviderNotReached,
)
from chatwright.features.messaging.inboxes.credentials import renew_due, renew_now
from chatwright.features.messaging.inboxes.health import end_spells, set_health
from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import (
    check_inbox,
    connect_inbox,
    create_inbox,
    delete_inbox,
    get_inbox,
    list_channels,
    list_inboxes,
    reconnect_inbox,
    update_inbox,
)
from chatwright.features.workspaces.operations import list_audit
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import CredentialsLost, Finding, InboxView, register_channel
from chatwright.ports.sending import Reaction
from tests.conftest import Desk
from tests.features.messaging.postal import PostalChannel, PostalSettings, failing

KEY = "0196f3a2-7c1d-7000-8000-00000000beef"
"""A secret that looks like an id of ours, which records would show."""
TOKEN = "a token nobody may read"


@pytest.fixture
def postal() -> PostalChannel:
    channel = PostalChannel()
    register_channel(channel)
    return channel


def settings(**changes: Any) -> dict[str, Any]:
    return {"box": new_id().hex, "key": KEY, "token": TOKEN, **changes}


async def connected(desk: Desk, **changes: Any) -> dict[str, Any]:
    made = await desk.call(connect_inbox, channel="postal", name="Post", settings=settings(**changes))
    return made["inbox"]


async def view_of(desk: Desk, inbox_id: str) -> InboxView[Any]:
    async with desk.product.database.autocommit():
        inbox = await find_inbox(UUID(inbox_id))
    assert inbox is not None
    return inbox.view


async def events_of(desk: Desk, inbox_id: str) -> list[tuple[str, dict[str, Any]]]:
    async with desk.product.database.autocommit() as unit:
        rows = await unit.connection.fetch(
            "select kind, data from event_log where subject_id = $1 order by id", UUID(inbox_id)
        )
    return [(row["kind"], row["data"]) for row in rows]


class TestConnect:
    async def test_it_checks_then_points_the_webhook_at_us(self, desk: Desk, postal: PostalChannel) -> None:
        made = await desk.call(connect_inbox, channel="postal", name="Post", settings=settings())
        inbox = made["inbox"]
        assert [finding["name"] for finding in made["findings"]] == ["token", "webhook"]
        assert inbox["hook_url"] == f"http://testserver/hooks/{inbox['id']}"
        assert postal.provider.hooks == [inbox["hook_url"]]
        assert inbox["health"] == "ok"
        view = await view_of(desk, inbox["id"])
        assert (view.hook_url, view.hook_token) == (inbox["hook_url"], inbox["hook_token"])
        assert len(view.hook_token) == 32

    async def test_credentials_that_are_not_taken_leave_nothing_behind(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        postal.provider.findings = [
            failing("token", "The token is not known. Make a new one.", Reaction.RECONNECT),
            failing("permissions", "Allow messages.", None),
        ]
        with pytest.raises(InboxNotReady, match="Make a new one") as caught:
            await connected(desk)
        assert [problem.path for problem in caught.value.fields] == ["token", "permissions"]
        assert postal.provider.hooks == []
        assert (await desk.call(list_inboxes))["items"] == []

    async def test_a_provider_that_repeats_a_secret_is_not_quoted(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        postal.provider.findings = [failing("token", f"No such token: {TOKEN}.", Reaction.RECONNECT)]
        with pytest.raises(InboxNotReady) as caught:
            await connected(desk)
        assert caught.value.message == "No such token: ***."

    async def test_a_provider_that_does_not_answer_is_tried_again_later(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        postal.provider.findings = [failing("token", "The post office is closed.", Reaction.RETRY)]
        with pytest.raises(ProviderNotReached) as caught:
            await connected(desk)
        assert caught.value.retryable
        assert (await desk.call(list_inboxes))["items"] == []

    async def test_a_smaller_fault_is_told_and_shown(self, desk: Desk, postal: PostalChannel) -> None:
        postal.provider.hook = [failing("webhook", "The address is not public.", None)]
        made = await desk.call(connect_inbox, channel="postal", name="Post", settings=settings())
        assert made["findings"][-1] == {"name": "webhook", "ok": False, "words": "The address is not public."}
        assert (made["inbox"]["health"], made["inbox"]["health_words"]) == (
            "limited",
            "The address is not public.",
        )

    async def test_an_account_has_one_inbox(self, desk: Desk, stranger: Desk, postal: PostalChannel) -> None:
        box = new_id().hex
        inbox = await connected(desk, box=box)
        with pytest.raises(AccountConnected, match="'Post'"):
            await connected(desk, box=box)
        with pytest.raises(AccountConnected, match="elsewhere") as caught:
            await connected(stranger, box=box)
        assert "Post" not in caught.value.message
        await desk.call(delete_inbox, inbox_id=inbox["id"])
        assert (await connected(stranger, box=box))["account"] == box

    async def test_only_who_is_let_in_learns_that_an_account_has_one(
        self, desk: Desk, stranger: Desk, postal: PostalChannel
    ) -> None:
        box = new_id().hex
        await connected(desk, box=box)
        postal.provider.findings = [failing("token", "The token is not known.", Reaction.RECONNECT)]
        with pytest.raises(InboxNotReady, match="not known"):
            await connected(stranger, box=box)

    async def test_two_at_once_for_one_account_give_one_inbox(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        box = new_id().hex
        ended = await asyncio.gather(*(connected(desk, box=box) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(one, AccountConnected) for one in ended) == 3


class TestAccounts:
    """An account is an inbox's only once its provider has let us in."""

    async def test_nobody_keeps_one_from_its_owner_without_its_credentials(
        self, desk: Desk, stranger: Desk, postal: PostalChannel
    ) -> None:
        box = new_id().hex
        squatter = await stranger.call(create_inbox, channel="postal", name="Mine", settings={"box": box})
        moved = await connected(stranger)
        moved = await stranger.call(update_inbox, inbox_id=moved["id"], settings={"box": box})
        assert (squatter["account"], moved["account"]) == (None, None)
        refusal = failing("token", "The token is not known.", Reaction.RECONNECT)
        for findings in (
            [refusal],
            [failing("token", "Nobody answers.", Reaction.RETRY)],
            [failing("token", "It has ended and is about to be exchanged.", None)],
            [Finding("token", ok=True, words="It works."), refusal],
        ):
            postal.provider.findings = findings
            for inbox in (squatter, moved):
                checked = await stranger.call(check_inbox, inbox_id=inbox["id"])
                assert checked["inbox"]["account"] is None
        postal.provider.findings = [failing("token", "It has ended and is about to be exchanged.", None)]
        assert (await connected(stranger, box=box))["account"] is None
        postal.provider.findings = [Finding("token", ok=True, words="It works.")]
        assert (await connected(desk, box=box))["account"] == box

    async def test_a_check_that_finds_all_well_gives_it(self, desk: Desk, postal: PostalChannel) -> None:
        box = new_id().hex
        inbox = await desk.call(create_inbox, channel="postal", name="Post", settings={"box": box})
        checked = await desk.call(check_inbox, inbox_id=inbox["id"])
        assert checked["inbox"]["account"] == box
        with pytest.raises(AccountConnected):
            await connected(desk, box=box)
        renamed = await desk.call(update_inbox, inbox_id=inbox["id"], name="Letters", settings={"token": "2"})
        assert renamed["account"] == box

    async def test_a_reconnection_gives_it(self, desk: Desk, stranger: Desk, postal: PostalChannel) -> None:
        box = new_id().hex
        late = await stranger.call(create_inbox, channel="postal", name="Late", settings={"box": box})
        inbox = await desk.call(create_inbox, channel="postal", name="Post", settings={"box": box})
        done = await desk.call(reconnect_inbox, inbox_id=inbox["id"], settings={"key": "right"})
        assert done["inbox"]["account"] == box
        with pytest.raises(AccountConnected, match="elsewhere"):
            await stranger.call(reconnect_inbox, inbox_id=late["id"], settings={"key": "right"})

    async def test_a_check_says_in_words_that_another_inbox_has_it(
        self, desk: Desk, stranger: Desk, postal: PostalChannel
    ) -> None:
        box = new_id().hex
        first = await connected(desk, box=box)
        words = f"The account {box} is connected {{}} already."
        for asking, where in ((desk, "to the inbox 'Post'"), (stranger, "elsewhere")):
            twin = await asking.call(create_inbox, channel="postal", name="Twin", settings={"box": box})
            checked = await asking.call(check_inbox, inbox_id=twin["id"])
            found = checked["findings"][-1]
            assert (found["name"], found["ok"]) == ("account", False)
            assert found["words"].startswith(words.format(where))
            assert (checked["inbox"]["account"], checked["inbox"]["health"]) == (None, "limited")
            assert checked["inbox"]["health_words"] == found["words"]
        await desk.call(delete_inbox, inbox_id=first["id"])
        checked = await stranger.call(check_inbox, inbox_id=twin["id"])
        assert (checked["inbox"]["account"], checked["inbox"]["health"]) == (box, "ok")

    async def test_settings_that_change_during_the_look_are_not_proven_by_it(
        self, desk: Desk, postal: PostalChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own, theirs = new_id().hex, new_id().hex
        inbox = await desk.call(create_inbox, channel="postal", name="Post", settings={"box": own})
        check = postal.check

        async def check_slowly(looked_at: InboxView[PostalSettings]) -> Sequence[Finding]:
            await desk.call(update_inbox, inbox_id=inbox["id"], settings={"box": theirs})
            return await check(looked_at)

        monkeypatch.setattr(postal, "check", check_slowly)
        for looking in (check_inbox, reconnect_inbox):
            looked = await desk.call(looking, inbox_id=inbox["id"])
            assert (looked["inbox"]["account"], looked["inbox"]["settings"]["box"]) == (None, theirs)
            await desk.call(update_inbox, inbox_id=inbox["id"], settings={"box": own})

    async def test_a_renewal_does_not_give_it(self, desk: Desk, postal: PostalChannel) -> None:
        settings = {"box": new_id().hex, "token": "first"}
        inbox = await desk.call(create_inbox, channel="postal", name="Post", settings=settings)
        postal.provider.next_tokens = ["second"]
        seen = (await view_of(desk, inbox["id"])).settings
        await renew_now(desk.product.database, UUID(inbox["id"]), seen)
        assert (await desk.call(get_inbox, inbox_id=inbox["id"]))["account"] is None


class TestSecrets:
    async def test_they_are_nowhere_to_be_seen(self, desk: Desk, postal: PostalChannel) -> None:
        with capture_logs() as logs:
            inbox = await connected(desk, spare_keys=["an old key"])
            await desk.call(update_inbox, inbox_id=inbox["id"], settings={"token": TOKEN + " 2"})
            with pytest.raises(InvalidInput) as caught:
                await desk.call(
                    update_inbox, inbox_id=inbox["id"], settings={"token": [TOKEN], "nonsense": KEY}
                )
            seen = [
                await desk.call(get_inbox, inbox_id=inbox["id"]),
                await desk.call(list_inboxes),
                await desk.call(check_inbox, inbox_id=inbox["id"]),
                await desk.call(list_audit),
                logs,
                str(caught.value),
                [problem.model_dump() for problem in caught.value.fields],
            ]
        async with desk.product.database.autocommit() as unit:
            row = await unit.connection.fetchrow(
                "select settings, secrets from inboxes where id = $1", UUID(inbox["id"])
            )
            trail = await unit.connection.fetch("select body from audit_records")
        assert row is not None
        seen += [row["settings"], row["secrets"].hex(), [record["body"] for record in trail]]
        text = orjson.dumps(seen, default=str).decode()
        for secret in (KEY, TOKEN, "an old key"):
            assert secret not in text
            assert secret.encode().hex() not in text
        assert inbox["secrets_set"] == ["key", "spare_keys", "token"]
        assert "key" not in inbox["settings"]

    async def test_the_audit_trail_says_which_settings_were_given(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        await connected(desk)
        (record, *_) = (await desk.call(list_audit))["items"]
        assert record["arguments"]["settings"] == {
            "box": "<private>",
            "key": "<private>",
            "token": "<private>",
        }

    async def test_changing_one_leaves_the_others(self, desk: Desk, postal: PostalChannel) -> None:
        inbox = await connected(desk)
        changed = await desk.call(update_inbox, inbox_id=inbox["id"], settings={"token": None})
        assert changed["secrets_set"] == ["key"]
        view = await view_of(desk, inbox["id"])
        assert (view.settings.key.get_secret_value(), view.settings.token) == (KEY, None)

    async def test_they_go_nowhere_else_unless_they_are_given_anew(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk)
        elsewhere = {"office": "https://thief.example"}
        for changing in (update_inbox, reconnect_inbox):
            for given in ({}, {"token": "another"}):
                with pytest.raises(InvalidInput, match="elsewhere") as caught:
                    await desk.call(changing, inbox_id=inbox["id"], settings=elsewhere | given)
                missing = {problem.path for problem in caught.value.fields}
                assert missing == {"settings.key", "settings.token"} - {f"settings.{name}" for name in given}
        same = {"office": "https://post.example"}
        await desk.call(update_inbox, inbox_id=inbox["id"], settings=same)
        anew = elsewhere | {"key": "another", "token": None}
        changed = await desk.call(update_inbox, inbox_id=inbox["id"], settings=anew)
        assert changed["settings"]["office"] == "https://thief.example"
        view = await view_of(desk, inbox["id"])
        assert (view.settings.key.get_secret_value(), view.settings.token) == ("another", None)

    async def test_the_schema_marks_them(self, desk: Desk, postal: PostalChannel) -> None:
        kinds = (await desk.call(list_channels))["items"]
        schema = next(kind for kind in kinds if kind["name"] == "postal")["settings_schema"]
        assert schema["properties"]["key"]["writeOnly"]
        assert "writeOnly" not in schema["properties"]["box"]

    async def test_they_are_sealed_for_their_inbox_alone(self, desk: Desk, postal: PostalChannel) -> None:
        one, other = await connected(desk), await connected(desk)
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update inboxes set secrets = (select secrets from inboxes where id = $1) where id = $2",
                UUID(one["id"]),
                UUID(other["id"]),
            )
        assert (await desk.call(get_inbox, inbox_id=other["id"]))["secrets_set"] == []

    async def test_a_deleted_inbox_keeps_none(self, desk: Desk, postal: PostalChannel) -> None:
        inbox = await connected(desk)
        await desk.call(delete_inbox, inbox_id=inbox["id"])
        assert postal.provider.hooks[-1] == "-"
        async with desk.product.database.autocommit() as unit:
            row = await unit.connection.fetchrow(
                "select secrets from inboxes where id = $1", UUID(inbox["id"])
            )
        assert row is not None
        assert row["secrets"] is None


class TestCheck:
    async def test_it_notes_what_it_finds_and_when_it_is_over(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk)
        postal.provider.findings = [failing("token", "The token has ended.", Reaction.RECONNECT)]
        checked = await desk.call(check_inbox, inbox_id=inbox["id"])
        assert (checked["inbox"]["health"], checked["inbox"]["health_words"]) == (
            "reconnect",
            "The token has ended.",
        )
        postal.provider.findings = [failing("token", "Nobody answers.", Reaction.RETRY)]
        checked = await desk.call(check_inbox, inbox_id=inbox["id"])
        assert checked["inbox"]["health"] == "reconnect"
        del postal.provider.findings[:]
        checked = await desk.call(check_inbox, inbox_id=inbox["id"])
        assert (checked["inbox"]["health"], checked["inbox"]["health_words"]) == ("ok", None)
        assert await events_of(desk, inbox["id"]) == [
            ("inbox.created", {}),
            ("inbox.health_changed", {"before": "ok", "health": "reconnect"}),
            ("inbox.health_changed", {"before": "reconnect", "health": "ok"}),
        ]

    async def test_reconnecting_takes_new_credentials_and_makes_it_well(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk)
        async with desk.product.database.transaction():
            await set_health(desk.caller.workspace_id, UUID(inbox["id"]), "reconnect", "It has ended.")
        postal.provider.findings = [failing("token", "Unknown.", Reaction.RECONNECT)]
        with pytest.raises(InboxNotReady):
            await desk.call(reconnect_inbox, inbox_id=inbox["id"], settings={"token": "wrong"})
        del postal.provider.findings[:]
        done = await desk.call(reconnect_inbox, inbox_id=inbox["id"], settings={"token": "right"})
        assert done["inbox"]["health"] == "ok"
        view = await view_of(desk, inbox["id"])
        assert view.settings.token.get_secret_value() == "right"

    async def test_reconnecting_never_moves_an_inbox_to_another_account(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk)
        with pytest.raises(OtherAccount):
            await desk.call(reconnect_inbox, inbox_id=inbox["id"], settings={"box": "another"})

    async def test_a_pause_with_an_end_ends(self, desk: Desk, postal: PostalChannel) -> None:
        inbox = await connected(desk)
        async with desk.product.database.transaction() as unit:
            await set_health(desk.caller.workspace_id, UUID(inbox["id"]), "paused", "Too much.")
            await unit.connection.execute(
                "update inboxes set health_until = now() where id = $1", UUID(inbox["id"])
            )
        async with desk.product.database.transaction():
            await end_spells()
        assert (await desk.call(get_inbox, inbox_id=inbox["id"]))["health"] == "ok"


class TestRenewal:
    async def test_many_who_see_old_credentials_renew_them_once(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk, token="first")
        seen = (await view_of(desk, inbox["id"])).settings
        postal.provider.next_tokens = ["second"]
        database = desk.product.database
        fresh = await asyncio.gather(*(renew_now(database, UUID(inbox["id"]), seen) for _ in range(5)))
        assert postal.provider.renewals == ["first"]
        assert {view.settings.token.get_secret_value() for view in fresh} == {"second"}
        assert (await view_of(desk, inbox["id"])).settings == fresh[0].settings

    async def test_lost_credentials_ask_for_a_person(self, desk: Desk, postal: PostalChannel) -> None:
        inbox = await connected(desk, token="first")
        seen = (await view_of(desk, inbox["id"])).settings
        with pytest.raises(CredentialsLost):
            await renew_now(desk.product.database, UUID(inbox["id"]), seen)
        shown = await desk.call(get_inbox, inbox_id=inbox["id"])
        assert (shown["health"], shown["health_words"]) == (
            "reconnect",
            "The post office does not know us any more.",
        )

    async def test_a_change_meanwhile_does_not_bring_used_up_credentials_back(
        self, desk: Desk, postal: PostalChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox = await connected(desk, token="first")
        seen = (await view_of(desk, inbox["id"])).settings
        postal.provider.next_tokens = ["second"]
        asked, answered, renew = asyncio.Event(), asyncio.Event(), postal.renew

        async def renew_slowly(inbox: InboxView[PostalSettings]) -> PostalSettings:
            asked.set()
            await answered.wait()
            return await renew(inbox)

        monkeypatch.setattr(postal, "renew", renew_slowly)
        renewing = asyncio.create_task(renew_now(desk.product.database, UUID(inbox["id"]), seen))
        await asked.wait()
        changing = asyncio.create_task(desk.call(update_inbox, inbox_id=inbox["id"], name="New name"))
        await asyncio.wait([changing], timeout=0.3)
        answered.set()
        await renewing
        assert (await changing)["name"] == "New name"
        assert (await view_of(desk, inbox["id"])).settings.token.get_secret_value() == "second"

    async def test_a_reconnection_keeps_credentials_that_were_renewed_meanwhile(
        self, desk: Desk, postal: PostalChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox = await connected(desk, token="first")
        seen = (await view_of(desk, inbox["id"])).settings
        postal.provider.next_tokens = ["second"]
        check = postal.check

        async def check_slowly(looked_at: InboxView[PostalSettings]) -> Sequence[Finding]:
            await renew_now(desk.product.database, UUID(inbox["id"]), seen)
            return await check(looked_at)

        monkeypatch.setattr(postal, "check", check_slowly)
        await desk.call(reconnect_inbox, inbox_id=inbox["id"], settings={"key": "a new key"})
        settings = (await view_of(desk, inbox["id"])).settings
        assert settings.token.get_secret_value() == "second"
        assert settings.key.get_secret_value() == "a new key"

    async def test_what_is_about_to_end_is_renewed_beforehand(
        self, desk: Desk, postal: PostalChannel
    ) -> None:
        inbox = await connected(desk, token="soon over")
        postal.provider.next_tokens = ["later"]
        await renew_due(desk.product.database)
        assert postal.provider.renewals == ["soon over"]
        await renew_due(desk.product.database)
        assert postal.provider.renewals == ["soon over"]
        assert (await view_of(desk, inbox["id"])).settings.token.get_secret_value() == "later"
