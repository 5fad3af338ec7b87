"""Inboxes: connecting a channel, and settings that fit it."""

from typing import Any

import pytest

from chatwright.features.messaging.errors import UnknownChannel
from chatwright.features.messaging.inboxes.operations import (
    create_inbox,
    delete_inbox,
    get_inbox,
    list_channels,
    list_inboxes,
    update_inbox,
)
from chatwright.features.messaging.operations import send_message
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperChannel


class TestChannels:
    async def test_each_says_which_settings_it_takes(self, desk: Desk, paper: PaperChannel) -> None:
        listed = await desk.call(list_channels)
        kinds = {kind["name"]: kind for kind in listed["items"]}
        assert {"paper", "webchat"} <= kinds.keys()
        assert "colour" in kinds["paper"]["settings_schema"]["properties"]
        assert kinds["paper"]["text_limit"] == 1000

    async def test_each_says_what_its_provider_lets_through(self, desk: Desk, paper: PaperChannel) -> None:
        kinds = {kind["name"]: kind["limits"] for kind in (await desk.call(list_channels))["items"]}
        assert kinds["paper"]["reply_hours"] is None
        assert not kinds["paper"]["templates"]
        assert kinds["whatsapp"]["reply_hours"] == 24
        assert kinds["whatsapp"]["templates"]
        assert kinds["whatsapp"]["file_bytes"]["image"] > 0


class TestCreate:
    async def test_an_unknown_channel_is_named_with_those_there_are(
        self, desk: Desk, paper: PaperChannel
    ) -> None:
        with pytest.raises(UnknownChannel, match=r"'pigeon'.*paper"):
            await desk.call(create_inbox, channel="pigeon", name="Roof")

    async def test_settings_are_checked_by_the_channel(self, desk: Desk, paper: PaperChannel) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_inbox, channel="paper", name="Letters", settings={"shade": "blue"})
        (problem,) = caught.value.fields
        assert (problem.path, problem.message) == ("settings.shade", "There is no such field.")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"colour": "b" * 70_000}, "at most 65,536 bytes"),
            ({"colour": ["\N{HEAVY BLACK HEART}" * 1000] * 25}, "at most 65,536 bytes"),
            ({f"colour{number}": "blue" for number in range(101)}, "100"),
        ],
        ids=["long", "long in bytes", "many"],
    )
    async def test_settings_of_any_size_are_not_looked_at(
        self, desk: Desk, paper: PaperChannel, given: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_inbox, channel="paper", name="Letters", settings=given)
        (problem,) = caught.value.fields
        assert problem.path == "settings"
        assert words in problem.message

    @pytest.mark.parametrize("odd", [2**70, float("nan"), 1e308, None], ids=str)
    async def test_odd_settings_are_the_channel_s_to_judge(
        self, desk: Desk, paper: PaperChannel, odd: object
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_inbox, channel="paper", name="Letters", settings={"colour": odd})
        assert [problem.path for problem in caught.value.fields] == ["settings.colour"]


class TestUpdate:
    async def test_what_is_left_out_stays(self, post: Post) -> None:
        here = str(post.inbox_id)
        changed = await post.desk.call(update_inbox, inbox_id=here, settings={"colour": "blue"})
        renamed = await post.desk.call(update_inbox, inbox_id=here, name="Blue letters")
        assert (changed["name"], changed["settings"]) == ("Letters", {"colour": "blue"})
        assert (renamed["name"], renamed["settings"]) == ("Blue letters", {"colour": "blue"})


class TestDelete:
    async def test_nothing_comes_in_any_more_and_history_stays(self, post: Post) -> None:
        conversation = await post.begin()
        await post.desk.call(delete_inbox, inbox_id=str(post.inbox_id))
        with pytest.raises(InboxNotFound):
            await post.desk.call(get_inbox, inbox_id=str(post.inbox_id))
        with pytest.raises(InboxNotFound):
            await post.send(conversation, "too late")
        assert InboxNotFound in send_message.errors
        assert len(await post.history(conversation)) == 1


class TestList:
    async def test_a_limited_caller_sees_its_own(self, post: Post) -> None:
        await post.desk.call(create_inbox, channel="paper", name="Other")
        limited = post.desk.caller_with("inboxes:read", inbox_ids=frozenset({post.inbox_id, new_id()}))
        listed = await post.desk.call(list_inboxes, as_=limited)
        assert [inbox["id"] for inbox in listed["items"]] == [str(post.inbox_id)]
