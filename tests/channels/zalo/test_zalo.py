"""The Zalo channel: the contract, and what it makes of every kind of event."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from chatwright.channels.zalo.channel import Zalo
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.channels.zalo.signatures import signature
from chatwright.kernel.errors import InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import (
    AnyChannel,
    Downloading,
    HookRequest,
    InboxView,
    Introducing,
    Renewing,
    Templating,
    Verified,
)
from chatwright.ports.content import (
    ContactCardContent,
    LocationContent,
    MediaContent,
    ReplyContent,
    TextContent,
    UnsupportedContent,
)
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundTemplate,
    InboundUnknown,
    InboundWithdrawal,
    Person,
    Referral,
)
from chatwright.ports.sending import Outgoing
from tests.channels.contract import ANY_JSON, ChannelContract, an_inbox
from tests.channels.zalo.conftest import Office
from tests.channels.zalo.events import ADA, APP, ECHOES, FILE, MESSAGES, OA, OTHERS, PICTURE, STAMP, UNKNOWN

SECRET = "oa-secret-of-tests"
SETTINGS = ZaloSettings.model_validate(
    {
        "app_id": APP,
        "oa_id": OA,
        "app_secret": "app-secret-of-tests",
        "oa_secret_key": SECRET,
        "access_token": "access-of-tests",
        "refresh_token": "refresh-of-tests",
    }
)
INBOX: InboxView[ZaloSettings] = an_inbox(SETTINGS)
CHANNEL = Zalo(Web())
SOMEBODY = Person({"zalo": ADA})
AT = datetime.fromtimestamp(int(STAMP) / 1000, UTC)


def call(
    event: dict[str, Any], *, first: str = APP, secret: str = SECRET, prefix: str = "mac=", retry: bool = True
) -> HookRequest:
    """A call of Zalo's. Fixtures have a time of their own, so it is one that Zalo makes again."""
    body = orjson.dumps(event)
    stamp = str(event.get("timestamp", ""))
    mac = signature(first, body, stamp, secret)
    headers = {"x-zevent-signature": f"{prefix}{mac}"} | ({"num_retry": "1"} if retry else {})
    return HookRequest("POST", headers, {}, body)


def read(event: dict[str, Any]) -> Sequence[Inbound]:
    """What the channel makes of one event, on its whole way."""
    request = call(event)
    (raw,) = CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))
    return CHANNEL.parse(INBOX, raw.payload)


def read_message(name: str) -> InboundMessage:
    inbound = read(MESSAGES[name])[0]
    assert isinstance(inbound, InboundMessage)
    return inbound


def key_of(event: dict[str, Any]) -> str:
    (raw,) = CHANNEL.split(INBOX, call(event), CHANNEL.verify(INBOX, call(event)))
    return raw.dedupe_key


class TestZalo(ChannelContract):
    @pytest.fixture(autouse=True)
    def _given(self, office: Office) -> None:
        self.office = office

    def channel(self) -> AnyChannel:
        return self.office.channel

    def inbox(self) -> InboxView[Any]:
        return self.office.inbox

    def samples(self) -> Sequence[HookRequest]:
        events = [*MESSAGES.values(), *ECHOES.values(), *OTHERS.values(), *UNKNOWN.values()]
        return [self._call(self._renumbered(event, number)) for number, event in enumerate(events)]

    def forgeries(self) -> Mapping[str, HookRequest]:
        request = self._call(MESSAGES["text"])
        mac = request.headers["x-zevent-signature"]
        elsewhere = signature("1", request.body, STAMP, self._secret)
        now = str(int(time.time() * 1000))
        old = MESSAGES["text"] | {"timestamp": str(int(now) - 301_000)}
        coming = MESSAGES["text"] | {"timestamp": str(int(now) + 301_000)}
        return {
            "no signature": HookRequest("POST", {"num_retry": "1"}, {}, request.body),
            "an empty signature": self._with(request, "mac="),
            "half a signature": self._with(request, mac[:20]),
            "no latin letters": self._with(request, "mac=" + "\u0661" * 64),
            "an altered body": HookRequest("POST", request.headers, {}, request.body.replace(b"Two", b"Ten")),
            "a body with another space": HookRequest("POST", request.headers, {}, request.body + b" "),
            "a body that is no JSON": HookRequest("POST", request.headers, {}, b"\xff{"),
            "another secret": call(MESSAGES["text"], secret="another"),
            "another app": self._with(request, f"mac={elsewhere}"),
            "an old event played back": self._call(old, retry=False),
            "an event of a time to come": self._call(coming, retry=False),
            "an event without a time": self._call({"event_name": "follow"}, retry=False),
        }

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), self.office.ada["id"], TextContent(text="Xin chào"))

    @property
    def _secret(self) -> str:
        return self.office.inbox.settings.oa_secret_key.get_secret_value()

    def _call(self, event: dict[str, Any], *, retry: bool = True) -> HookRequest:
        return call(event, first=self.office.inbox.settings.app_id, secret=self._secret, retry=retry)

    def _with(self, request: HookRequest, signature: str) -> HookRequest:
        return HookRequest("POST", {**request.headers, "x-zevent-signature": signature}, {}, request.body)

    def _renumbered(self, event: dict[str, Any], number: int) -> dict[str, Any]:
        """Fixtures share ids and a moment; as samples they are events of their own."""
        message: dict[str, Any] = event.get("message") or {}
        renamed = {"message": {**message, "msg_id": f"n-{number}"}} if message else {}
        return {**event, **renamed, "timestamp": str(int(STAMP) + number)}


class TestSettings:
    @pytest.mark.parametrize("name", ["app_id", "oa_id"])
    def test_ids_are_strings_of_digits(self, name: str) -> None:
        settings = SETTINGS.model_dump() | {name: "not a number"}
        with pytest.raises(ValidationError):
            ZaloSettings.model_validate(settings)

    def test_the_account_is_known_by_its_id(self) -> None:
        assert CHANNEL.account(SETTINGS) == OA

    def test_it_can_do_what_the_product_asks_of_such_a_channel(self) -> None:
        for ability in (Renewing, Downloading, Introducing, Templating):
            assert isinstance(CHANNEL, ability)

    def test_tokens_of_unknown_age_are_exchanged_at_once_and_others_after_twenty_hours(self) -> None:
        due = CHANNEL.renew_at(INBOX)
        assert due is not None
        assert due <= datetime.now(UTC)
        at = datetime(2026, 11, 22, 8, tzinfo=UTC)
        renewed = SETTINGS.with_tokens("a", "r", at)
        assert CHANNEL.renew_at(an_inbox(renewed)) == at + timedelta(hours=20)


class TestVerifying:
    @pytest.mark.parametrize("prefix", ["mac=", "mac = ", "MAC=", ""])
    def test_the_signature_is_read_however_it_is_written(self, prefix: str) -> None:
        verified = CHANNEL.verify(INBOX, call(MESSAGES["text"], prefix=prefix))
        assert verified.claims == {"signature": "app_id"}

    def test_the_account_s_id_in_the_place_of_the_app_s_is_good_too(self) -> None:
        verified = CHANNEL.verify(INBOX, call(OTHERS["follow"], first=OA))
        assert verified.claims == {"signature": "oa_id"}

    def test_a_timestamp_that_is_a_number_is_signed_as_it_stands(self) -> None:
        CHANNEL.verify(INBOX, call(MESSAGES["text"] | {"timestamp": int(STAMP)}))

    @pytest.mark.parametrize("seconds", [0, 290, -290])
    def test_a_fresh_event_needs_no_further_sign(self, seconds: int) -> None:
        stamp = str(int((time.time() + seconds) * 1000))
        CHANNEL.verify(INBOX, call(MESSAGES["text"] | {"timestamp": stamp}, retry=False))

    def test_a_key_of_an_hmac_is_no_signature(self) -> None:
        request = call(MESSAGES["text"])
        wrong = signature("", request.body, "", SECRET)
        with pytest.raises(Unauthenticated):
            CHANNEL.verify(
                INBOX, HookRequest("POST", {"x-zevent-signature": f"mac={wrong}"}, {}, request.body)
            )

    def test_a_body_that_is_no_json_is_refused_by_the_splitter_too(self) -> None:
        with pytest.raises(InvalidInput):
            CHANNEL.split(
                INBOX, HookRequest("POST", {}, {}, b"{"), CHANNEL.verify(INBOX, call(MESSAGES["text"]))
            )

    @pytest.mark.parametrize("body", [b"[]", b"7", b"{}", b"null"])
    def test_json_of_another_shape_is_kept(self, body: bytes) -> None:
        (raw,) = CHANNEL.split(
            INBOX, HookRequest("POST", {}, {}, body), CHANNEL.verify(INBOX, call(MESSAGES["text"]))
        )
        assert isinstance(CHANNEL.parse(INBOX, raw.payload)[0], InboundUnknown)


class TestSplitting:
    def test_a_message_is_known_by_its_id_whatever_else_a_copy_says(self) -> None:
        copy = MESSAGES["text"] | {"timestamp": "1795000009999"}
        assert key_of(copy) == key_of(MESSAGES["text"])

    def test_other_events_are_known_by_their_time_and_person(self) -> None:
        first = OTHERS["follow"]
        assert key_of(first) == key_of(first | {"source": "elsewhere"})
        others = [
            first | {"timestamp": "1795000009999"},
            first | {"follower": {"id": "17"}},
            first | {"event_name": "unfollow"},
            OTHERS["seen"],
            OTHERS["seen"] | {"message": {"msg_ids": ["o-3"]}},
            OTHERS["reacted"],
            OTHERS["reaction taken back"],
        ]
        assert len({key_of(event) for event in (first, *others)}) == len(others) + 1

    @pytest.mark.parametrize("event", [*MESSAGES.values(), *ECHOES.values(), *OTHERS.values()])
    def test_each_event_names_the_account_it_is_for(self, event: dict[str, Any]) -> None:
        (raw,) = CHANNEL.split(INBOX, call(event), CHANNEL.verify(INBOX, call(event)))
        assert raw.account == OA

    def test_an_event_of_another_account_says_so(self) -> None:
        event = MESSAGES["text"] | {"recipient": {"id": "4000000000000000001"}}
        (raw,) = CHANNEL.split(INBOX, call(event), CHANNEL.verify(INBOX, call(event)))
        assert raw.account == "4000000000000000001"

    def test_events_of_one_person_keep_their_order(self) -> None:
        lanes = {
            CHANNEL.split(INBOX, call(event), CHANNEL.verify(INBOX, call(event)))[0].lane
            for event in (
                MESSAGES["text"],
                ECHOES["text"],
                OTHERS["seen"],
                OTHERS["follow"],
                OTHERS["withdrawal"],
            )
        }
        assert lanes == {ADA}


class TestMessages:
    def test_text(self) -> None:
        assert read(MESSAGES["text"]) == [
            InboundMessage("m-1", SOMEBODY, TextContent(text="Two coffees"), sent_at=AT)
        ]

    def test_an_answer_names_what_it_answers(self) -> None:
        assert read_message("answer").reply_to == "m-0"

    def test_a_press_on_one_of_our_buttons(self) -> None:
        assert read_message("press").content == ReplyContent(text="YES", payload="YES")
        assert read_message("text of one line that is a hashtag").content == TextContent(text="#menu")

    @pytest.mark.parametrize(
        ("name", "content", "media"),
        [
            ("image", MediaContent(kind="image", caption="Look"), PICTURE),
            ("gif", MediaContent(kind="image"), PICTURE),
            ("audio", MediaContent(kind="audio"), "https://voice.example.vn/a.amr"),
            ("video", MediaContent(kind="video"), "https://video.example.vn/v"),
            ("sticker", MediaContent(kind="sticker"), PICTURE),
            ("file", MediaContent(kind="file", filename="bill.pdf"), FILE["url"]),
        ],
    )
    def test_files(self, name: str, content: MediaContent, media: str) -> None:
        inbound = read_message(name)
        assert (inbound.content, inbound.media) == (content, media)

    def test_several_pictures_are_several_messages(self) -> None:
        found = [one for one in read(MESSAGES["two images"]) if isinstance(one, InboundMessage)]
        assert [(one.external_id, one.media) for one in found] == [
            ("m-3", PICTURE),
            ("m-3/2", f"{PICTURE}?2"),
        ]

    def test_links_are_words(self) -> None:
        assert read_message("link").content == TextContent(text="See https://shop.example/x")
        assert read_message("link without words").content == TextContent(text="https://shop.example/x")

    def test_places_come_as_strings(self) -> None:
        assert read_message("location").content == LocationContent(latitude=10.7769, longitude=106.7009)

    def test_a_business_card_hides_its_number_in_json(self) -> None:
        assert read_message("business card").content == ContactCardContent(
            name="Ben Orr", phones=["84907654321"]
        )
        assert read_message("business card of nobody").content == ContactCardContent(name="Ben")

    def test_what_nobody_knows_yet_is_shown_as_unsupported(self) -> None:
        assert read_message("something of tomorrow").content == UnsupportedContent(kind="hologram")

    def test_who_is_not_logged_in_is_answered_in_their_conversation(self) -> None:
        for name in ("from nobody known", "image from nobody known"):
            assert read_message(name).person == Person({"zalo_anonymous": "an0n/c9"})


class TestEchoes:
    def test_what_came_through_the_api_is_ours_and_what_a_person_wrote_is_not(self) -> None:
        (ours,), (theirs,) = read(ECHOES["text"]), read(ECHOES["text of a person"])
        assert isinstance(ours, InboundEcho)
        assert isinstance(theirs, InboundEcho)
        assert (ours.by_app, ours.author, ours.person) == (True, None, SOMEBODY)
        assert (theirs.by_app, theirs.author, theirs.external_id) == (False, "1001", "o-1")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("image", MediaContent(kind="image")),
            ("gif", MediaContent(kind="image")),
            ("list", UnsupportedContent(kind="list")),
            ("file", MediaContent(kind="file", filename="bill.pdf")),
            ("sticker", MediaContent(kind="sticker")),
        ],
    )
    def test_every_kind(self, name: str, content: object) -> None:
        (echo,) = read(ECHOES[name])
        assert isinstance(echo, InboundEcho)
        assert echo.content == content

    def test_to_who_is_not_logged_in(self) -> None:
        (echo,) = read(ECHOES["text to nobody known"])
        assert isinstance(echo, InboundEcho)
        assert echo.person == Person({"zalo_anonymous": "an0n/c9"})


class TestOtherEvents:
    def test_statuses(self) -> None:
        seen = read(OTHERS["seen"])
        assert [(one.message_id, one.status) for one in seen if isinstance(one, InboundStatus)] == [
            ("o-1", DeliveryStatus.READ),
            ("o-2", DeliveryStatus.READ),
        ]
        (received,) = read(OTHERS["received"])
        assert isinstance(received, InboundStatus)
        assert (received.message_id, received.status) == ("o-1", DeliveryStatus.DELIVERED)
        assert received.at == datetime.fromtimestamp(1795000000.999, UTC)

    def test_a_template_to_a_number_brings_our_own_id_back(self) -> None:
        (received,) = read(OTHERS["received a template"])
        assert isinstance(received, InboundStatus)
        assert received.message_id == "0198d0c0-0000-7000-8000-000000000001"
        assert received.external_id == "o-1"

    def test_reactions(self) -> None:
        assert read(OTHERS["reacted"]) == [InboundReaction("o-1", SOMEBODY, "❤", AT)]
        assert read(OTHERS["reaction taken back"]) == [InboundReaction("o-1", SOMEBODY, "", AT)]

    def test_following_is_consent_and_opens_the_window(self) -> None:
        assert read(OTHERS["follow"]) == [
            InboundConsent(SOMEBODY, given=True, source="followed the account", at=AT, opens_window=True)
        ]
        assert read(OTHERS["unfollow"]) == [
            InboundConsent(SOMEBODY, given=False, source="stopped following the account", at=AT)
        ]
        (accepted,) = read(OTHERS["widget"])
        assert isinstance(accepted, InboundConsent)
        assert accepted.given

    def test_who_shares_their_details_is_known_by_them(self) -> None:
        assert read(OTHERS["info"]) == [
            InboundProfile(
                Person({"zalo": ADA}, name="Ada Byron", phone="84901234567"),
                {"user_dob": "10/12/1990", "city": "Ha Noi"},
            )
        ]
        assert read(OTHERS["info changed"]) == [InboundProfile(SOMEBODY, {"gender": "2"})]

    def test_calls(self) -> None:
        assert read(OTHERS["call"]) == [InboundReferral(SOMEBODY, Referral("call"), AT)]
        assert read(OTHERS["chatnow"]) == [
            InboundReferral(SOMEBODY, Referral("chatnow"), AT, opens_window=False)
        ]

    def test_leave_to_call_is_no_leave_to_write(self) -> None:
        assert read(OTHERS["may call"]) == [InboundProfile(SOMEBODY, {"call_consent": "approved"})]

    def test_who_withdraws_is_to_be_forgotten(self) -> None:
        assert read(OTHERS["withdrawal"]) == [InboundWithdrawal(SOMEBODY)]

    def test_news_of_the_account_and_its_templates(self) -> None:
        words = [
            one.words
            for name in ("quota", "extension")
            for one in read(OTHERS[name])
            if isinstance(one, InboundAccount)
        ]
        assert words == [
            "The account may send 5000 templates a day now, instead of 500.",
            "The account bought an extension of its plan.",
        ]
        assert read(OTHERS["template"]) == [
            InboundTemplate("300001", "vi", status="rejected", reason="No brand in it", template_id="300001")
        ]
        assert read(OTHERS["template quality"]) == [
            InboundTemplate("300001", "vi", quality="low", template_id="300001")
        ]

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_the_rest_is_counted_under_its_name(self, name: str) -> None:
        assert read(UNKNOWN[name]) == [InboundUnknown(name)]


@given(body=st.binary(max_size=60) | ANY_JSON.map(json.dumps).map(str.encode))
def test_any_body_is_kept_or_is_no_json(body: bytes) -> None:
    try:
        events = CHANNEL.split(INBOX, HookRequest("POST", {}, {}, body), Verified())
    except InvalidInput:
        return
    assert [CHANNEL.parse(INBOX, event.payload) for event in events]
