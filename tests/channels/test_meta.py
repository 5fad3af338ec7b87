"""Odd input for Messenger and Instagram: whatever Meta signs is taken in and read, whatever it is."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from chatwright.channels.instagram.channel import Instagram
from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.channels.messenger.channel import Messenger
from chatwright.channels.messenger.settings import MessengerSettings
from chatwright.kernel.errors import InvalidInput
from chatwright.net.http import Web
from chatwright.ports.channel import AnyChannel, InboxView
from chatwright.ports.inbound import InboundUnknown
from tests.channels import meta
from tests.channels.contract import an_inbox
from tests.channels.instagram import items as instagram
from tests.channels.messenger import items as messenger
from tests.channels.meta import SECRET, Json

CREDENTIALS: Json = {"access_token": "EAAtoken", "app_secrets": [SECRET]}
CHANNELS: Mapping[str, tuple[AnyChannel, InboxView[Any], Json]] = {
    "page": (
        Messenger(Web()),
        an_inbox(MessengerSettings.model_validate({"page_id": messenger.PAGE, **CREDENTIALS})),
        {**messenger.MESSAGES, **messenger.ECHOES, **messenger.NEWS, **messenger.UNKNOWN},
    ),
    "instagram": (
        Instagram(Web()),
        an_inbox(InstagramSettings.model_validate({"account_id": instagram.ACCOUNT, **CREDENTIALS})),
        instagram.ITEMS,
    ),
}
KINDS = [
    "message",
    "postback",
    "referral",
    "optin",
    "delivery",
    "read",
    "reaction",
    "message_edit",
    "policy_enforcement",
]
FIELDS = ["feed", "leadgen", "comments", "live_comments", "messages", "message_template_status_update"]
# fmt: off
NAMES = [
    "id", "mid", "text", "type", "payload", "url", "attachments", "quick_reply", "product",
    "elements", "title", "is_echo", "is_deleted", "reply_to", "story", "referral", "watermark",
    "mids", "action", "from", "verb", "comment_id", "item", "media", "sender", "recipient",
    "user_ref", "coordinates", "lat", "long", "value",
]
# fmt: on
WORDS = st.sampled_from(NAMES)
WORTHS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["comment", "add", "image", "template", "story_mention", "like_heart", "react", "block"]
    )
)
JSON = st.recursive(
    WORTHS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=30,
)
ITEMS = st.fixed_dictionaries(
    {"sender": JSON | st.fixed_dictionaries({"id": JSON}), "recipient": JSON, "timestamp": JSON},
    optional={kind: JSON | st.dictionaries(WORDS, JSON, max_size=6) for kind in KINDS},
)
CHANGES = st.fixed_dictionaries(
    {"field": st.sampled_from(FIELDS) | JSON, "value": JSON | st.dictionaries(WORDS, JSON, max_size=8)}
)
ENTRIES = st.fixed_dictionaries(
    {"id": JSON},
    optional={
        "messaging": st.lists(ITEMS | JSON, max_size=3) | JSON,
        "standby": st.lists(ITEMS | JSON, max_size=2),
        "changes": st.lists(CHANGES | JSON, max_size=3) | JSON,
        "field": st.sampled_from(FIELDS),
        "value": JSON,
    },
)


def read_all(about: str, body: bytes) -> int:
    """Take a signed body in as the product does; returns how many events it had."""
    channel, inbox, _ = CHANNELS[about]
    request = meta.raw_call(body)
    events = channel.split(inbox, request, channel.verify(inbox, request))
    for raw in events:
        stored = orjson.loads(orjson.dumps(dict(raw.payload)))
        assert raw.dedupe_key
        assert raw.lane
        found = channel.parse(inbox, stored)
        assert channel.parse(inbox, stored) == found
    return len(events)


@pytest.mark.parametrize("about", CHANNELS)
class TestOddInput:
    @settings(max_examples=100, deadline=None)
    @given(entries=st.lists(ENTRIES | JSON, min_size=1, max_size=3) | JSON)
    def test_whatever_meta_signs_is_kept_and_read(self, about: str, entries: object) -> None:
        assert read_all(about, meta.signed({"object": about, "entry": entries}).body) > 0

    @settings(max_examples=100, deadline=None)
    @given(data=st.data())
    def test_a_damaged_call_is_no_json_or_is_read(self, about: str, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(CHANNELS[about][2])))
        item = CHANNELS[about][2][name][0]
        body = bytearray(meta.call(about, meta.entry("1", messaging=[item])).body)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(body) - 1))
            match data.draw(st.sampled_from(["flip", "cut", "double"])):
                case "flip":
                    body[at] = data.draw(st.integers(0, 255))
                case "cut":
                    del body[at : at + data.draw(st.integers(1, 40))]
                case _:
                    body[at:at] = body[at : at + data.draw(st.integers(1, 40))]
            if not body:
                break
        try:
            assert read_all(about, bytes(body)) > 0
        except InvalidInput:
            return

    def test_nesting_without_end_is_refused_in_our_words(self, about: str) -> None:
        for depth in (300, 5000, 200_000):
            deep = (
                b'{"object":"'
                + about.encode()
                + b'","entry":[{"messaging":'
                + b"[" * depth
                + b"]" * depth
                + b"}]}"
            )
            try:
                read_all(about, deep)
            except InvalidInput:
                continue

    def test_what_is_for_the_other_channel_is_unknown(self, about: str) -> None:
        channel, inbox, _ = CHANNELS[about]
        other = next(name for name in CHANNELS if name != about)
        item, _ = next(iter(CHANNELS[other][2].values()))
        request = meta.call(other, meta.entry("1", messaging=[item]))
        (raw,) = channel.split(inbox, request, channel.verify(inbox, request))
        assert channel.parse(inbox, raw.payload) == [InboundUnknown(f"object {other}")]
