"""The Instagram channel: the contract, and what it makes of everything that an account's webhooks tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from chatwright.channels.instagram.channel import Instagram
from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.kernel.errors import Forbidden, InvalidInput
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import (
    AnyChannel,
    Connecting,
    Downloading,
    Handshaking,
    HookRequest,
    InboxView,
    MarkingRead,
    Renewing,
    Templating,
    Typing,
)
from chatwright.ports.content import TextContent
from chatwright.ports.inbound import Inbound, InboundMessage, InboundUnknown, InboundUnsend, RawEvent
from chatwright.ports.sending import Outgoing
from tests.channels import meta
from tests.channels.contract import ChannelContract, an_inbox
from tests.channels.instagram.conftest import Gallery
from tests.channels.instagram.items import ACCOUNT, CHANGES, IGSID, ITEMS, comment, item, message
from tests.channels.meta import APP, AT, OLDER_SECRET, SECRET, Json

GIVEN: Json = {"account_id": ACCOUNT, "access_token": "IGAAtoken", "app_secrets": [SECRET, OLDER_SECRET]}
SETTINGS = InstagramSettings.model_validate(GIVEN | {"app_id": APP})
INBOX: InboxView[InstagramSettings] = an_inbox(
    SETTINGS, hook_url="https://chat.example.com/hooks/1", hook_token="a-word-of-this-server-alone"
)
CHANNEL = Instagram(Web())


def call(*entries: object, secret: str = SECRET) -> HookRequest:
    return meta.call("instagram", *entries, secret=secret)


def entry(**lists: Any) -> Json:
    return meta.entry(ACCOUNT, **lists)


def split(request: HookRequest) -> Sequence[RawEvent]:
    return CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))


def read(**lists: Any) -> list[Inbound]:
    """What the channel makes of one entry, on its whole way."""
    return [inbound for raw in split(call(entry(**lists))) for inbound in CHANNEL.parse(INBOX, raw.payload)]


class TestInstagram(ChannelContract):
    @pytest.fixture(autouse=True)
    def _given(self, gallery: Gallery) -> None:
        self.gallery = gallery

    def channel(self) -> AnyChannel:
        return self.gallery.channel

    def inbox(self) -> InboxView[Any]:
        return self.gallery.inbox

    def samples(self) -> Sequence[HookRequest]:
        secret = self.gallery.inbox.settings.app_secrets[0].get_secret_value()
        items = [one for one, _ in ITEMS.values()]
        changes = [one for one, _ in CHANGES.values()]
        return [
            call(
                entry(messaging=items[::2]),
                entry(messaging=items[1::2]),
                entry(changes=changes),
                entry(standby=[message("aWdf90", text="To the other app")]),
                entry(**comment(id="17900000000000090")),
                entry(hint="of a shape that nobody knows"),
                secret=secret,
            ),
            meta.call("page", meta.entry("1", messaging=[message("aWdf91", text="Hi")]), secret=secret),
        ]

    def forgeries(self) -> Mapping[str, HookRequest]:
        secret = self.gallery.inbox.settings.app_secrets[0].get_secret_value()
        return meta.forgeries(call(entry(messaging=[message("aWdf1", text="é 1")]), secret=secret))

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), self.gallery.shop.ada["id"], TextContent(text="Yes"))


class TestReading:
    @pytest.mark.parametrize("name", ITEMS)
    def test_an_item_of_a_chat(self, name: str) -> None:
        given, expected = ITEMS[name]
        assert read(messaging=[given]) == expected

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change_of_the_account(self, name: str) -> None:
        given, expected = CHANGES[name]
        assert read(changes=[given]) == expected

    @pytest.mark.parametrize("name", ["comment", "comment under a live video"])
    def test_a_comment_that_stands_on_the_entry_itself(self, name: str) -> None:
        given, expected = CHANGES[name]
        assert read(**given) == expected
        assert read(field=given["field"], value=[given["value"]]) == expected

    def test_our_own_comments_are_no_news(self) -> None:
        own = {"id": ACCOUNT, "username": "bean.bar", "self_ig_scoped_id": "12"}
        given = comment()
        given["value"]["from"] = own
        assert read(changes=[given]) == []

    def test_what_is_taken_back_goes_with_all_its_parts(self) -> None:
        given, _ = ITEMS["answer to a story with a picture"]
        came = [one.external_id for one in read(messaging=[given]) if isinstance(one, InboundMessage)]
        (gone,) = read(messaging=[message("aWdf9", is_deleted=True)])
        assert isinstance(gone, InboundUnsend)
        assert {gone.external_id, *gone.parts} >= set(came)

    def test_a_comment_of_nobody_is_unknown(self) -> None:
        (inbound,) = read(changes=[{"field": "comments", "value": {"id": "1", "text": "x"}}])
        assert isinstance(inbound, InboundUnknown)

    def test_a_test_from_meta_s_dashboard_is_read_like_the_real_thing(self) -> None:
        value = message("aWdf1", text="Hi")
        (inbound,) = read(changes=[{"field": "messages", "value": value}])
        assert isinstance(inbound, InboundMessage)
        assert inbound.sent_at == AT

    def test_what_is_of_no_account_is_unknown(self) -> None:
        bodies: list[object] = [{"object": "user", "entry": [entry(changes=[])]}, {"hello": 1}, "x", None, 5]
        for body in bodies:
            (raw,) = split(meta.signed(body))
            (inbound,) = CHANNEL.parse(INBOX, raw.payload)
            assert isinstance(inbound, InboundUnknown)


class TestKeys:
    def test_a_comment_told_for_the_post_and_for_its_ad_counts_once(self) -> None:
        boosted = comment(
            media={"id": "181", "media_product_type": "AD", "ad_id": "600", "ad_title": "Autumn"}
        )
        events = split(call(entry(changes=[comment(), boosted]), entry(**comment())))
        assert len(events) == 3
        assert len({raw.dedupe_key for raw in events}) == 1

    def test_what_changes_a_message_has_a_key_of_its_own(self) -> None:
        items = [
            message("aWdf1", text="Hi"),
            message("aWdf1", is_deleted=True),
            item(message_edit={"mid": "aWdf1", "text": "Ho", "num_edit": 1}),
            item(reaction={"mid": "aWdf1", "action": "react", "emoji": "❤"}),
            item(reaction={"mid": "aWdf1", "action": "unreact"}),
            item(read={"mid": "aWdf1"}),
        ]
        assert len({raw.dedupe_key for raw in split(call(entry(messaging=items)))}) == len(items)

    def test_everything_of_a_person_is_in_one_lane(self) -> None:
        given = [message("aWdf1", text="Hi"), ITEMS["echo of ours"][0], ITEMS["seen"][0]]
        events = split(call(entry(messaging=given), entry(changes=[comment()])))
        assert {raw.lane for raw in events} == {IGSID}

    def test_one_call_may_tell_of_several_accounts(self) -> None:
        other = meta.entry("900", changes=[comment(id="5")])
        accounts = [raw.account for raw in split(call(entry(messaging=[message("aWdf1", text="Hi")]), other))]
        assert accounts == [ACCOUNT, "900"]
        assert CHANNEL.account(SETTINGS) == ACCOUNT


class TestDoor:
    def test_meta_s_challenge_is_repeated_to_whoever_knows_the_word(self) -> None:
        query = {"hub.mode": "subscribe", "hub.verify_token": INBOX.hook_token, "hub.challenge": "1158201444"}
        assert CHANNEL.handshake(INBOX, HookRequest("GET", {}, query, b"")) == "1158201444"
        with pytest.raises(Forbidden):
            CHANNEL.handshake(INBOX, HookRequest("GET", {}, {**query, "hub.verify_token": "x"}, b""))

    def test_a_call_may_be_signed_with_any_of_the_secrets(self) -> None:
        assert len(split(call(entry(messaging=[message("aWdf1", text="Hi")]), secret=OLDER_SECRET))) == 1

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"hello"])
    def test_what_is_no_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            split(meta.raw_call(body))

    def test_what_it_offers_is_known(self) -> None:
        for port in (Handshaking, Connecting, Downloading, Typing, MarkingRead, Renewing):
            assert isinstance(CHANNEL, port)
        assert not isinstance(CHANNEL, Templating)


class TestSettings:
    def test_each_login_has_its_server(self) -> None:
        assert SETTINGS.url == "https://graph.instagram.com"
        assert SETTINGS.model_copy(update={"login": "facebook"}).url == "https://graph.facebook.com"
        assert SETTINGS.model_copy(update={"base_url": "https://x.example"}).url == "https://x.example"

    @pytest.mark.parametrize(
        "change",
        [
            {"account_id": "bean.bar"},
            {"login": "google"},
            {"app_secrets": []},
            {"base_url": "x"},
            {"token_expires_at": "tomorrow"},
        ],
    )
    def test_what_cannot_be_right_is_refused(self, change: dict[str, object]) -> None:
        InstagramSettings.model_validate(GIVEN)
        with pytest.raises(ValidationError):
            InstagramSettings.model_validate(GIVEN | change)
