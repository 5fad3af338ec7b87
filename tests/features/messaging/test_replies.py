"""Saved replies."""

import pytest

from chatwright.features.messaging.errors import ReplyNotFound
from chatwright.features.messaging.replies.operations import delete_reply, list_replies, save_reply
from tests.conftest import Desk


class TestSave:
    async def test_a_shortcut_holds_the_latest_words(self, desk: Desk) -> None:
        first = await desk.call(save_reply, shortcut="hello", text="Hi!")
        second = await desk.call(save_reply, shortcut="hello", text="Good day!")
        assert first["id"] == second["id"]
        (kept,) = (await desk.call(list_replies))["items"]
        assert (kept["shortcut"], kept["text"]) == ("hello", "Good day!")


class TestDelete:
    async def test_once(self, desk: Desk) -> None:
        made = await desk.call(save_reply, shortcut="bye", text="Bye!")
        await desk.call(delete_reply, reply_id=made["id"])
        with pytest.raises(ReplyNotFound):
            await desk.call(delete_reply, reply_id=made["id"])
