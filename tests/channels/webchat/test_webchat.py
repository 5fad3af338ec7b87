"""The webchat channel: the contract, and what is its own."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import ValidationError

from chatwright.channels.webchat import tokens
from chatwright.channels.webchat.channel import Webchat
from chatwright.channels.webchat.settings import WebchatSettings
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.kernel.errors import Forbidden, InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import AnyChannel, HookRequest, HostedChannel, InboxView
from chatwright.ports.content import MAX_TEXT, ReplyContent, TextContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundMessage,
    InboundUnknown,
    InboundWatermark,
    Person,
)
from chatwright.ports.sending import Outgoing
from tests.channels.contract import ChannelContract, an_inbox

SITE = "https://www.example.com"
CHANNEL = Webchat(MasterKeyCipher(bytes(range(32))), "https://chat.example.com:8443/under")
INBOX: InboxView[WebchatSettings] = an_inbox(WebchatSettings(allowed_origins=[SITE]))
VISITOR = UUID("0198d0c0-0000-7000-8000-000000000001")
TOKEN = tokens.VisitorTokens(MasterKeyCipher(bytes(range(32)))).issue(INBOX.id, VISITOR)


def call(*events: object, token: str = TOKEN, origin: str | None = SITE, **headers: str) -> HookRequest:
    """A call of the widget."""
    named = {"authorization": f"Bearer {token}", "host": "chat.example.com", **headers}
    if origin is not None:
        named["origin"] = origin
    return HookRequest("POST", named, {}, orjson.dumps({"events": events}))


def said(client_id: str, text: str = "hi", **more: object) -> dict[str, object]:
    return {"type": "message", "client_id": client_id, "text": text, **more}


def read(event: object) -> Inbound:
    """What the channel makes of one event of the widget."""
    (raw,) = CHANNEL.split(INBOX, call(event), CHANNEL.verify(INBOX, call(event)))
    (inbound,) = CHANNEL.parse(INBOX, raw.payload)
    return inbound


class TestWebchat(ChannelContract):
    def channel(self) -> AnyChannel:
        return CHANNEL

    def inbox(self) -> InboxView[Any]:
        return INBOX

    def samples(self) -> Sequence[HookRequest]:
        return [
            call(said("a", "hi", sent_at="2026-11-22T10:00:00+00:00"), said("b", "hi")),
            call({"type": "reply", "client_id": "c", "text": "Yes", "payload": "YES"}),
            call({"type": "read", "up_to": str(VISITOR)}),
            call({"type": "gesture", "kind": "wave"}),
        ]

    def forgeries(self) -> Mapping[str, HookRequest]:
        other_key = tokens.VisitorTokens(MasterKeyCipher(bytes(32)))
        other_inbox = tokens.VisitorTokens(MasterKeyCipher(bytes(range(32))))
        middle = len(TOKEN) // 2
        altered = TOKEN[:middle] + ("A" if TOKEN[middle] != "A" else "B") + TOKEN[middle + 1 :]
        return {
            "no token": call(authorization=""),
            "another scheme": call(authorization=f"Basic {TOKEN}"),
            "an altered token": call(token=altered),
            "half a token": call(token=TOKEN[:middle]),
            "no base64": call(token="é" * 40),
            "another key": call(token=other_key.issue(INBOX.id, VISITOR)),
            "another inbox": call(token=other_inbox.issue(new_id(), VISITOR)),
            "another website": call(origin="https://www.example.com.evil.example"),
            "the website without its scheme": call(origin="http://www.example.com"),
            "a file": call(origin="null"),
            "no website": call(origin=None),
        }

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), str(VISITOR), TextContent(text="hi"))


class TestOrigins:
    def test_the_inbox_s_websites_and_the_server_s_own_pages_may_call(self) -> None:
        for origin, host in (
            (SITE, "chat.example.com"),
            ("https://chat.example.com:8443", "elsewhere"),
            ("http://127.0.0.1:8800", "127.0.0.1:8800"),
        ):
            assert CHANNEL.allowed_origin(INBOX, call(origin=origin, host=host)) == origin

    def test_a_star_lets_every_website_call(self) -> None:
        inbox = an_inbox(WebchatSettings(allowed_origins=["*"]))
        assert CHANNEL.allowed_origin(inbox, call(origin="https://anywhere.example"))

    def test_only_a_read_may_leave_the_origin_out(self) -> None:
        reading = HookRequest("GET", {}, {}, b"")
        assert CHANNEL.allowed_origin(INBOX, reading) is None
        with pytest.raises(Forbidden):
            CHANNEL.allowed_origin(INBOX, call(origin=None))

    def test_origins_are_kept_as_browsers_write_them(self) -> None:
        settings = WebchatSettings(allowed_origins=["HTTPS://Example.com:443/", "http://a.example:80"])
        assert settings.allowed_origins == ["https://example.com", "http://a.example"]

    @pytest.mark.parametrize(
        "text", ["example.com", "https://a.example/path", "ftp://a.example", "https://*.a.example", ""]
    )
    def test_what_is_no_origin_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationError):
            WebchatSettings(allowed_origins=[text])


class TestSessions:
    def test_a_visitor_keeps_their_address_and_gets_a_fresh_token(self) -> None:
        welcome = CHANNEL.welcome(INBOX, HookRequest("POST", {}, {}, orjson.dumps({"token": TOKEN})))
        assert welcome.address == str(VISITOR)
        assert CHANNEL.verify(INBOX, call(token=welcome.token)).address == str(VISITOR)

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 1}', b'{"token": "x"}', b"\xff", b'{"token":"'])
    def test_without_a_good_token_somebody_new_begins(self, body: bytes) -> None:
        one, two = (CHANNEL.welcome(INBOX, HookRequest("POST", {}, {}, body)) for _ in range(2))
        assert len({one.address, two.address, str(VISITOR)}) == 3

    def test_an_old_token_is_good_no_longer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "LIFETIME_SECONDS", -1)
        old = CHANNEL.welcome(INBOX, HookRequest("POST", {}, {}, b"")).token
        with pytest.raises(Unauthenticated):
            CHANNEL.verify(INBOX, call(token=old))

    def test_a_token_is_short_and_fits_into_a_header(self) -> None:
        assert len(TOKEN) < 80
        assert base64.urlsafe_b64decode(TOKEN + "==")

    def test_it_is_known_to_be_hosted(self) -> None:
        assert isinstance(CHANNEL, HostedChannel)


class TestReading:
    def test_a_message(self) -> None:
        assert read(said("a", "hi")) == InboundMessage(
            f"{VISITOR}/a", Person({"visitor": str(VISITOR)}), TextContent(text="hi")
        )

    def test_a_press_on_a_button(self) -> None:
        inbound = read({"type": "reply", "client_id": "a", "text": "Yes", "payload": "YES"})
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == ReplyContent(text="Yes", payload="YES")

    def test_how_far_they_read(self) -> None:
        assert read({"type": "read", "up_to": str(VISITOR)}) == InboundWatermark(
            Person({"visitor": str(VISITOR)}), DeliveryStatus.READ, str(VISITOR)
        )

    def test_two_visitors_may_choose_the_same_id(self) -> None:
        other = tokens.VisitorTokens(MasterKeyCipher(bytes(range(32)))).issue(INBOX.id, new_id())
        keys: set[str] = set()
        ids: set[str] = set()
        for token in (TOKEN, other):
            request = call(said("a"), token=token)
            (raw,) = CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))
            (inbound,) = CHANNEL.parse(INBOX, raw.payload)
            assert isinstance(inbound, InboundMessage)
            keys.add(raw.dedupe_key)
            ids.add(inbound.external_id)
        assert len(keys) == len(ids) == 2

    def test_text_too_long_is_cut(self) -> None:
        inbound = read(said("a", "x" * (MAX_TEXT + 5)))
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == TextContent(text="x" * MAX_TEXT)

    def test_the_visitor_s_clock_counts_only_where_it_can_be_right(self) -> None:
        now = datetime.now(UTC)
        for sent_at, kept in (
            (now - timedelta(minutes=5), True),
            (now + timedelta(days=1), False),
            (now - timedelta(days=400), False),
            (now.replace(tzinfo=None) - timedelta(days=1), False),
        ):
            inbound = read(said("a", sent_at=sent_at.isoformat()))
            assert isinstance(inbound, InboundMessage)
            assert inbound.sent_at == (sent_at if kept else None)

    @pytest.mark.parametrize(
        "event",
        [
            {},
            [],
            1,
            said("not an id"),
            said("a", "  "),
            {"type": "message", "client_id": "a"},
            {"type": "read", "up_to": "5"},
            {"type": 1},
            {"type": "wave"},
        ],
    )
    def test_the_rest_is_unknown(self, event: object) -> None:
        assert isinstance(read(event), InboundUnknown)

    def test_a_body_of_another_shape_is_kept_whole(self) -> None:
        request = HookRequest("POST", call().headers, {}, b'{"hello": ["there"]}')
        (raw,) = CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))
        assert raw.payload["event"] == {"hello": ["there"]}

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b'{"events": [' + b",".join([b"1"] * 101) + b"]}",
            b'{"events": [' + b"[" * 300 + b"]" * 300 + b"]}",
        ],
    )
    def test_what_our_page_cannot_have_sent_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            CHANNEL.split(INBOX, HookRequest("POST", {}, {}, body), CHANNEL.verify(INBOX, call()))
