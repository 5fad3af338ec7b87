"""The Messenger channel: the contract, and what it makes of everything that a page's webhooks tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from chatwright.channels.messenger.channel import Messenger
from chatwright.channels.messenger.settings import MessengerSettings
from chatwright.kernel.errors import Forbidden, InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import (
    AnyChannel,
    Connecting,
    Downloading,
    FetchingLeads,
    Handshaking,
    HookRequest,
    InboxView,
    MarkingRead,
    Renewing,
    Typing,
)
from chatwright.ports.content import TextContent
from chatwright.ports.inbound import (
    Inbound,
    InboundEcho,
    InboundMessage,
    InboundUnknown,
    InboundUnsend,
    Person,
    RawEvent,
)
from chatwright.ports.sending import Outgoing
from tests.channels import meta
from tests.channels.contract import ChannelContract, an_inbox
from tests.channels.messenger.conftest import Counter
from tests.channels.messenger.items import (
    ADA_BY_NAME,
    CHANGES,
    COMMENT,
    ECHOES,
    MESSAGES,
    NEWS,
    PAGE,
    PSID,
    UNKNOWN,
    comment,
    item,
    message,
)
from tests.channels.meta import APP, NOW, OLDER_SECRET, SECRET, Json

SETTINGS = MessengerSettings.model_validate(
    {"page_id": PAGE, "access_token": "EAAtoken", "app_secrets": [SECRET, OLDER_SECRET], "app_id": APP}
)
INBOX: InboxView[MessengerSettings] = an_inbox(
    SETTINGS, hook_url="https://chat.example.com/hooks/1", hook_token="a-word-of-this-server-alone"
)
CHANNEL = Messenger(Web())
ITEMS = {**MESSAGES, **ECHOES, **NEWS, **UNKNOWN}


def call(*entries: object, secret: str = SECRET) -> HookRequest:
    return meta.call("page", *entries, secret=secret)


def entry(**lists: Any) -> Json:
    return meta.entry(PAGE, **lists)


def split(request: HookRequest) -> Sequence[RawEvent]:
    return CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))


def read(**lists: Any) -> list[Inbound]:
    """What the channel makes of one entry, on its whole way."""
    return [inbound for raw in split(call(entry(**lists))) for inbound in CHANNEL.parse(INBOX, raw.payload)]


def keys(*entries: object) -> list[str]:
    return [raw.dedupe_key for raw in split(call(*entries))]


class TestMessenger(ChannelContract):
    @pytest.fixture(autouse=True)
    def _given(self, counter: Counter) -> None:
        self.counter = counter

    def channel(self) -> AnyChannel:
        return self.counter.channel

    def inbox(self) -> InboxView[Any]:
        settings = self.counter.inbox.settings.model_copy(update={"page_id": PAGE, "app_id": APP})
        return InboxView(self.counter.inbox.id, self.counter.inbox.workspace_id, settings)

    def samples(self) -> Sequence[HookRequest]:
        secret = self.counter.inbox.settings.app_secrets[0].get_secret_value()
        items = [one for one, _ in ITEMS.values()]
        changes = [one for one, _ in CHANGES.values()]
        return [
            meta.call(
                "page",
                entry(messaging=items[::2]),
                entry(messaging=items[1::2]),
                entry(changes=changes),
                entry(standby=[message("m_90", text="To the other app")]),
                entry(hint="of a shape that nobody knows"),
                secret=secret,
            ),
            meta.call("instagram", meta.entry("1784", messaging=[message("m_91", text="Hi")]), secret=secret),
        ]

    def forgeries(self) -> Mapping[str, HookRequest]:
        secret = self.counter.inbox.settings.app_secrets[0].get_secret_value()
        return meta.forgeries(meta.call("page", entry(messaging=[message("m_1", text="é 1")]), secret=secret))

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), self.counter.shop.ada["id"], TextContent(text="Coming"))

    async def test_a_message_goes_out_under_an_id(self) -> None:
        outcome = await self.channel().send(self.counter.inbox, self.outgoing())
        assert outcome.reaction is None
        assert outcome.external_id


class TestReading:
    @pytest.mark.parametrize("name", ITEMS)
    def test_an_item_of_a_chat(self, name: str) -> None:
        given, expected = ITEMS[name]
        assert read(messaging=[given]) == expected

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change_of_the_page(self, name: str) -> None:
        given, expected = CHANGES[name]
        assert read(changes=[given]) == expected

    def test_a_press_without_an_id_gets_one_of_its_own(self) -> None:
        first, again, later = (
            read(messaging=[{**item(postback={"title": "Order", "payload": "ORDER"}), "timestamp": at}])[0]
            for at in (NOW * 1000, NOW * 1000, NOW * 1000 + 1)
        )
        assert isinstance(first, InboundMessage)
        assert isinstance(later, InboundMessage)
        assert first == again
        assert first.external_id != later.external_id

    def test_what_is_taken_back_goes_with_all_its_files(self) -> None:
        given, _ = MESSAGES["three files"]
        came = [one.external_id for one in read(messaging=[given]) if isinstance(one, InboundMessage)]
        (gone,) = read(messaging=[message("m_5", is_deleted=True)])
        assert isinstance(gone, InboundUnsend)
        assert {gone.external_id, *gone.parts} >= set(came)

    def test_a_comment_taken_back_goes(self) -> None:
        assert read(changes=[comment("remove")]) == [InboundUnsend(COMMENT, ADA_BY_NAME, (f"{COMMENT}/2",))]

    def test_what_another_app_answers_is_left_to_it(self) -> None:
        (inbound,) = read(standby=[message("m_1", text="Hi")])
        assert isinstance(inbound, InboundMessage)
        assert inbound.automatic

    def test_what_our_side_does_in_the_page_s_inbox_is_not_the_customer_s_doing(self) -> None:
        mine = meta.item(PAGE, PSID, reaction={"mid": "m_1", "action": "react", "emoji": "❤️"})
        assert read(messaging=[mine]) == [InboundUnknown("reaction of ours")]
        (gone,) = read(messaging=[meta.item(PAGE, PSID, message={"mid": "m_40", "is_deleted": True})])
        assert isinstance(gone, InboundUnsend)
        assert (gone.external_id, gone.person) == ("m_40", Person({"psid": PSID}))

    def test_an_echo_under_another_id_of_ours_went_to_the_customer(self) -> None:
        (echo,) = read(messaging=[meta.echo(PSID, "another id of the page", "m_46", text="Hi")])
        assert isinstance(echo, InboundEcho)
        assert echo.person == Person({"psid": PSID})

    def test_our_own_comments_are_no_news(self) -> None:
        assert read(changes=[comment("add", **{"from": {"id": PAGE, "name": "Bean Bar"}})]) == []

    def test_a_test_from_meta_s_dashboard_is_read_like_the_real_thing(self) -> None:
        value = {**message("m_1", text="Hi"), "timestamp": str(NOW)}
        (inbound,) = read(changes=[{"field": "messages", "value": value}])
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == TextContent(text="Hi")

    def test_an_item_of_long_ago_was_played_back_by_somebody(self) -> None:
        old = {**message("m_1", text="Hi"), "timestamp": (NOW - 9 * 86_400) * 1000}
        assert read(messaging=[old]) == [InboundUnknown("item played back")]

    def test_without_an_app_id_our_echoes_are_known_by_what_we_sent_along(self) -> None:
        settings = SETTINGS.model_copy(update={"app_id": None})
        (given, (ours,)), (other, (theirs,)) = ECHOES["of our own"], ECHOES["of another app"]
        for one, expected in ((given, ours), (other, theirs)):
            (raw,) = split(call(entry(messaging=[one])))
            assert CHANNEL.parse(an_inbox(settings), raw.payload) == [expected]

    def test_what_is_of_no_page_is_unknown(self) -> None:
        bodies: list[object] = [{"object": "user", "entry": [entry(changes=[])]}, {"hello": 1}, "x", None, 5]
        for body in bodies:
            (raw,) = split(meta.signed(body))
            (inbound,) = CHANNEL.parse(INBOX, raw.payload)
            assert isinstance(inbound, InboundUnknown)


class TestKeys:
    def test_a_message_has_one_key_whether_we_answer_or_listen(self) -> None:
        given = message("m_1", text="Hi")
        richer = message("m_1", text="Hi", nlp={"intents": []})
        assert len(set(keys(entry(messaging=[given, richer]), entry(standby=[given])))) == 1

    def test_what_changes_a_message_has_a_key_of_its_own(self) -> None:
        items = [
            message("m_1", text="Hi"),
            message("m_1", is_deleted=True),
            item(message_edit={"mid": "m_1", "text": "Ho", "num_edit": 1}),
            item(message_edit={"mid": "m_1", "text": "Hu", "num_edit": 2}),
            item(reaction={"mid": "m_1", "action": "react", "emoji": "❤️"}),
            item(reaction={"mid": "m_1", "action": "unreact", "emoji": "❤️"}),
        ]
        assert len(set(keys(entry(messaging=items)))) == len(items)

    def test_a_comment_has_one_key_and_each_change_of_it_another(self) -> None:
        changes = [comment("add"), comment("edited", message="a"), comment("edited", message="b")]
        again = comment("add", post={"permalink_url": "https://www.facebook.com/bean/posts/1?ad"})
        assert len(set(keys(entry(changes=[*changes, comment("remove")])))) == 4
        assert len(set(keys(entry(changes=[changes[0], again])))) == 1

    def test_everything_of_a_person_is_in_one_lane(self) -> None:
        given = [message("m_1", text="Hi"), ECHOES["of our own"][0], NEWS["reading"][0]]
        events = split(call(entry(messaging=given), entry(changes=[comment("add")])))
        assert {raw.lane for raw in events} == {PSID}

    def test_keys_and_lanes_fit_an_index_however_long_the_ids_are(self) -> None:
        odd = meta.message("7" * 5000, PAGE, "m" * 5000, text="Hi")
        (raw,) = split(call(entry(messaging=[odd])))
        assert len(raw.dedupe_key) <= 300
        assert len(raw.lane) <= 300


class TestAccounts:
    def test_one_call_may_tell_of_several_pages(self) -> None:
        other = meta.entry("900", messaging=[meta.message("8", "900", "m_2", text="Hi")])
        accounts = [raw.account for raw in split(call(entry(messaging=[message("m_1", text="Hi")]), other))]
        assert accounts == [PAGE, "900"]
        assert CHANNEL.account(SETTINGS) == PAGE

    def test_a_call_may_be_signed_with_any_of_the_secrets(self) -> None:
        given = entry(messaging=[message("m_1", text="Hi")])
        assert len(split(call(given, secret=OLDER_SECRET))) == 1
        with pytest.raises(Unauthenticated):
            split(call(given, secret="yet another"))

    def test_people_are_known_by_the_page_s_own_ids(self) -> None:
        (inbound,) = read(messaging=[message("m_1", text="Hi")])
        assert isinstance(inbound, InboundMessage)
        assert inbound.person == Person({"psid": PSID})


class TestDoor:
    def test_meta_s_challenge_is_repeated_to_whoever_knows_the_word(self) -> None:
        query = {"hub.mode": "subscribe", "hub.verify_token": INBOX.hook_token, "hub.challenge": "1158201444"}
        assert CHANNEL.handshake(INBOX, HookRequest("GET", {}, query, b"")) == "1158201444"

    @pytest.mark.parametrize(
        "change", [{"hub.verify_token": "x"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}]
    )
    def test_nobody_else_gets_an_answer(self, change: Mapping[str, str]) -> None:
        query = {"hub.mode": "subscribe", "hub.verify_token": INBOX.hook_token, "hub.challenge": "1"}
        with pytest.raises(Forbidden):
            CHANNEL.handshake(INBOX, HookRequest("GET", {}, {**query, **change}, b""))

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"hello"])
    def test_what_is_no_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            split(meta.raw_call(body))

    def test_half_an_emoji_does_not_lose_the_message(self) -> None:
        body = call(entry(messaging=[message("m_1", text="HALF")])).body.replace(b"HALF", b"so \\ud83d")
        (raw,) = split(meta.raw_call(body))
        (inbound,) = CHANNEL.parse(INBOX, raw.payload)
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == TextContent(text="so �")

    def test_what_it_offers_is_known(self) -> None:
        for port in (Handshaking, Connecting, Downloading, Typing, MarkingRead, FetchingLeads, Renewing):
            assert isinstance(CHANNEL, port)


class TestSettings:
    @pytest.mark.parametrize(
        "change",
        [
            {"page_id": "bean"},
            {"page_id": ""},
            {"app_secrets": []},
            {"base_url": "ftp://x"},
            {"base_url": "https://x?access_token=1"},
            {"version": "26"},
        ],
    )
    def test_what_cannot_be_right_is_refused(self, change: dict[str, object]) -> None:
        given = {"page_id": PAGE, "access_token": "t", "app_secrets": ["s"]}
        MessengerSettings.model_validate(given)
        with pytest.raises(ValidationError):
            MessengerSettings.model_validate(given | change)
