"""The Telegram channel: the contract, and what it makes of every kind of update."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from chatwright.channels.telegram.channel import Telegram, secret_for
from chatwright.channels.telegram.files import read_reference
from chatwright.channels.telegram.settings import TelegramSettings
from chatwright.kernel.errors import InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import (
    Answering,
    AnyChannel,
    Connecting,
    Downloading,
    HookRequest,
    InboxView,
    Typing,
    Verified,
)
from chatwright.ports.content import (
    ContactCardContent,
    LocationContent,
    MediaContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
    UnsupportedContent,
)
from chatwright.ports.inbound import (
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundIdentity,
    InboundMessage,
    InboundReaction,
    InboundUnknown,
    InboundUnsend,
    Person,
    Referral,
)
from chatwright.ports.sending import Outgoing
from tests.channels.contract import ANY_JSON, ChannelContract, an_inbox
from tests.channels.telegram.conftest import HOOK_TOKEN, Office
from tests.channels.telegram.updates import MESSAGES, NOTES, OTHERS, UNKNOWN, WHEN, message, press

SETTINGS = TelegramSettings.model_validate({"bot_token": "7000000001:AAxyzxyzxyzxyzxyzxyzxyzxyz"})
INBOX: InboxView[TelegramSettings] = an_inbox(
    SETTINGS, hook_url="https://chat.example.com/hooks/1", hook_token=HOOK_TOKEN
)
CHANNEL = Telegram(Web())
ADA = Person({"telegram": "5012"}, name="Ada Byron", username="ada", locale="en")
AT = datetime.fromtimestamp(WHEN, UTC)
EVERYTHING = [
    *(("message", part) for part in (*MESSAGES.values(), *NOTES.values())),
    *OTHERS.values(),
    *UNKNOWN.values(),
]


def call(update: object, secret: str = secret_for(HOOK_TOKEN)) -> HookRequest:
    """A call of Telegram's."""
    return HookRequest("POST", {"x-telegram-bot-api-secret-token": secret}, {}, orjson.dumps(update))


def read(kind: str, part: object) -> Sequence[Inbound]:
    """What the channel makes of one update, on its whole way."""
    request = call({"update_id": 1, kind: part})
    (raw,) = CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))
    return CHANNEL.parse(INBOX, raw.payload)


def read_message(name: str) -> InboundMessage:
    inbound = read("message", MESSAGES[name])[0]
    assert isinstance(inbound, InboundMessage)
    return inbound


class TestTelegram(ChannelContract):
    @pytest.fixture(autouse=True)
    def _given(self, office: Office) -> None:
        self.office = office

    def channel(self) -> AnyChannel:
        return self.office.channel

    def inbox(self) -> InboxView[Any]:
        return self.office.inbox

    def samples(self) -> Sequence[HookRequest]:
        kept: list[dict[str, Any]] = []
        for number, (kind, part) in enumerate(EVERYTHING):
            # Fixtures of messages share a number; as samples they are messages of their own.
            renumbered = part | {"message_id": 100 + number} if "message_id" in part else part
            query = {"id": f"q{number}"} if kind == "callback_query" else {}
            kept.append({"update_id": 900 + number, kind: renumbered | query})
        return [call(update) for update in kept]

    def forgeries(self) -> Mapping[str, HookRequest]:
        secret = secret_for(HOOK_TOKEN)
        body = {"update_id": 1, "message": MESSAGES["text"]}
        return {
            "no secret": HookRequest("POST", {}, {}, orjson.dumps(body)),
            "an empty secret": call(body, ""),
            "half a secret": call(body, secret[:32]),
            "an altered secret": call(body, secret[:-1] + ("0" if secret[-1] != "0" else "1")),
            "the secret of another inbox": call(body, secret_for("a word of another server")),
            "the word that the secret is made of": call(body, HOOK_TOKEN),
            "no latin letters": call(body, "\u0661" * 64),
        }

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), self.office.ada["id"], TextContent(text="Good morning"))


class TestSettings:
    def test_they_take_a_token_as_botfather_shows_it(self) -> None:
        assert SETTINGS.bot_id == "7000000001"
        assert CHANNEL.account(SETTINGS) == "7000000001"

    @pytest.mark.parametrize(
        "token", ["", "7000000001", "AAxyz:7000000001", "1:short", "1:AA/../../getMe?" + "x" * 30]
    )
    def test_what_is_no_token_is_refused_without_being_told_again(self, token: str) -> None:
        with pytest.raises(ValidationError) as refusal:
            TelegramSettings.model_validate({"bot_token": token})
        assert "as @BotFather shows it" in str(refusal.value)

    @pytest.mark.parametrize("address", ["", "api.telegram.org", "ftp://a.example", "https://a.example/?x=1"])
    def test_a_server_has_an_address(self, address: str) -> None:
        with pytest.raises(ValidationError):
            TelegramSettings.model_validate({"bot_token": "1:" + "A" * 30, "base_url": address})

    def test_files_lie_beside_the_methods_unless_they_are_said_to_lie_elsewhere(self) -> None:
        token = "7000000001:AAxyzxyzxyzxyzxyzxyzxyzxyz"
        assert SETTINGS.method_url("getMe") == f"https://api.telegram.org/bot{token}/getMe"
        assert SETTINGS.download_url("a/b.jpg") == f"https://api.telegram.org/file/bot{token}/a/b.jpg"
        elsewhere = SETTINGS.model_copy(update={"file_url": "https://files.example"})
        assert elsewhere.download_url("a") == f"https://files.example/bot{token}/a"


class TestVerifying:
    def test_an_inbox_without_a_word_of_its_own_takes_nothing(self) -> None:
        with pytest.raises(Unauthenticated):
            CHANNEL.verify(an_inbox(SETTINGS), call({}, ""))
        with pytest.raises(Unauthenticated):
            CHANNEL.verify(an_inbox(SETTINGS), call({}, secret_for("")))

    def test_the_secret_has_only_what_telegram_allows(self) -> None:
        secret = secret_for("Ünïcode ☕ and more")
        assert len(secret) == 64
        assert set(secret) <= set("0123456789abcdef")

    def test_a_body_that_is_no_json_is_refused_after_it_was_verified(self) -> None:
        request = HookRequest("POST", call({}).headers, {}, b"\xff{")
        with pytest.raises(InvalidInput):
            CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))

    @pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"update"', b"[[{}]]", b"{}"])
    def test_json_of_another_shape_is_kept(self, body: bytes) -> None:
        request = HookRequest("POST", call({}).headers, {}, body)
        (raw,) = CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request))
        assert isinstance(CHANNEL.parse(INBOX, raw.payload)[0], InboundUnknown)

    def test_updates_of_one_chat_keep_their_order_and_those_of_others_do_not_wait(self) -> None:
        lanes: dict[str, str] = {}
        for name, (kind, part) in OTHERS.items():
            (raw,) = CHANNEL.split(INBOX, call({"update_id": 1, kind: part}), CHANNEL.verify(INBOX, call({})))
            lanes[name] = raw.lane
        assert lanes["edited"] == lanes["press"] == lanes["reaction"] == lanes["blocked"] == "5012"
        assert lanes["press without a message"] == "5012"
        assert lanes["press in a group"] == lanes["group moves on"] == "-4455"

    def test_it_can_do_what_the_product_asks_of_such_a_channel(self) -> None:
        for ability in (Answering, Connecting, Downloading, Typing):
            assert isinstance(CHANNEL, ability)


class TestMessages:
    def test_text(self) -> None:
        assert read("message", MESSAGES["text"]) == [
            InboundMessage("5012/31", ADA, TextContent(text="Two flat whites"), sent_at=AT)
        ]

    def test_text_as_it_came_in_the_first_years(self) -> None:
        inbound = read_message("text in old style")
        assert inbound.person == Person({"telegram": "5012"}, name="Ada")
        assert inbound.content == TextContent(text="Hi")

    def test_an_answer_names_what_it_answers(self) -> None:
        assert read_message("reply").reply_to == "5012/30"

    @pytest.mark.parametrize(
        ("name", "content", "media_type"),
        [
            ("photo", MediaContent(kind="image", caption="Our menu"), "image/jpeg"),
            ("video", MediaContent(kind="video", filename="a.mov"), "video/quicktime"),
            ("video_note", MediaContent(kind="video"), "video/mp4"),
            ("animation", MediaContent(kind="video", filename="steam.mp4"), "video/mp4"),
            ("audio", MediaContent(kind="audio"), "audio/mpeg"),
            ("voice", MediaContent(kind="voice"), "audio/ogg"),
            (
                "document",
                MediaContent(kind="file", caption="The bill", filename="bill.pdf"),
                "application/pdf",
            ),
            ("sticker", MediaContent(kind="sticker"), "image/webp"),
            ("moving sticker", MediaContent(kind="sticker"), "application/x-tgsticker"),
            ("video sticker", MediaContent(kind="sticker"), "video/webm"),
        ],
    )
    def test_files(self, name: str, content: MediaContent, media_type: str) -> None:
        inbound = read_message(name)
        assert inbound.content == content
        reference = read_reference(inbound.media or "")
        assert reference is not None
        assert (reference.file_id, reference.media_type, reference.size) == ("F-large", media_type, 2048)

    def test_an_album_is_its_pictures_each_once(self) -> None:
        first, second = read_message("album 1"), read_message("album 2")
        assert first.content == MediaContent(kind="image", caption="The whole shelf")
        assert second.content == MediaContent(kind="image")
        assert (first.external_id, second.external_id) == ("5012/41", "5012/42")

    def test_places(self) -> None:
        assert read_message("location").content == LocationContent(latitude=10.77, longitude=106.7)
        assert read_message("venue").content == LocationContent(
            latitude=10.77, longitude=106.7, name="Bean Bar", address="1 Le Loi"
        )

    def test_a_place_that_is_none_is_shown_as_something_unsupported(self) -> None:
        (inbound,) = read("message", message(location={"latitude": 970, "longitude": 0}))
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == UnsupportedContent(kind="location")

    def test_a_number_is_believed_only_of_its_owner(self) -> None:
        own = read_message("own contact")
        assert own.person.phone == "84901234567"
        assert own.content == ContactCardContent(name="Ada", phones=["84901234567"])
        for name in ("somebody's contact", "a card without account"):
            assert read_message(name).person.phone is None

    def test_what_we_do_not_show_comes_with_its_words(self) -> None:
        found = {
            name: (content.kind, content.text)
            for name in MESSAGES
            if isinstance(content := read_message(name).content, UnsupportedContent)
        }
        assert found == {
            "dice": ("dice", "🎲 4"),
            "poll": ("poll", "Milk?\n- Oat\n- Soy"),
            "checklist": ("checklist", "Monday\n- Order beans"),
            "game": ("game", "Pour"),
            "invoice": ("invoice", "Beans"),
            "story": ("story", None),
            "paid media": ("paid_media", None),
            "giveaway": ("giveaway", None),
            "something of tomorrow": ("hologram", "Look"),
        }

    def test_an_answer_to_a_story_says_so(self) -> None:
        assert read_message("answer to a story").content == StoryReferenceContent(
            kind="story_reply", reference="-4455/3", text="Lovely"
        )

    def test_a_web_app_hands_back_whatever_it_likes(self) -> None:
        assert read_message("web app").content == ReplyContent(text="Order", payload='{"cups": 2}')
        assert read_message("web app without JSON").content == ReplyContent(text="Order", payload="cups=2")

    def test_what_was_forwarded_is_said_by_who_forwarded_it(self) -> None:
        for name in ("forwarded", "forwarded in old style"):
            inbound = read_message(name)
            assert inbound.person == ADA
            assert inbound.content == TextContent(text="As they said")

    @pytest.mark.parametrize("name", NOTES)
    def test_what_a_chat_tells_of_itself_is_counted_and_shown_to_nobody(self, name: str) -> None:
        (inbound,) = read("message", NOTES[name])
        assert isinstance(inbound, InboundUnknown)
        assert inbound.kind.startswith("message.")


class TestGroups:
    def test_a_group_is_one_person_and_its_message_names_who_wrote(self) -> None:
        inbound = read_message("in a group")
        assert inbound.person == Person({"telegram": "-4455"}, name="Night shift")
        assert (inbound.external_id, inbound.author) == ("-4455/31", "Ada Byron")

    def test_a_topic_is_answered_where_it_is(self) -> None:
        inbound = read_message("in a topic")
        assert inbound.person.identities == {"telegram": "-1009988776655:40"}
        assert inbound.person.name == "Regulars: Gear"
        assert inbound.external_id == "-1009988776655/55"
        assert inbound.reply_to is None

    def test_an_anonymous_admin_speaks_for_the_group(self) -> None:
        inbound = read_message("as an anonymous admin")
        assert (inbound.author, inbound.automatic) == ("Regulars", False)

    def test_another_bot_gets_no_automatic_answer(self) -> None:
        assert read_message("by another bot").automatic is True

    def test_a_post_of_the_group_s_channel_gets_none_either(self) -> None:
        inbound = read_message("a post of the group's channel")
        assert (inbound.automatic, inbound.author) == (True, "News")

    def test_a_group_that_moves_is_known_by_its_new_id_from_both_sides(self) -> None:
        for name in ("group moves on", "supergroup came from"):
            (inbound,) = read(*OTHERS[name])
            assert isinstance(inbound, InboundIdentity)
            assert inbound.person.identities == {"telegram": "-4455"}
            assert inbound.now.identities == {"telegram": "-1009988776655"}


class TestCommands:
    def test_start_is_consent_and_names_the_link(self) -> None:
        said, consent = read("message", MESSAGES["start from a link"])
        assert isinstance(said, InboundMessage)
        assert said.referral == Referral("start", "spring-flyer_7")
        assert consent == InboundConsent(ADA, given=True, source="/start", at=AT)

    def test_start_without_a_link_has_no_referral(self) -> None:
        assert read_message("start").referral is None

    def test_start_in_a_group_may_name_the_bot(self) -> None:
        assert read_message("start in a group").referral == Referral("start", "poster")

    def test_stop_is_a_refusal(self) -> None:
        said, consent = read("message", MESSAGES["stop"])
        assert isinstance(said, InboundMessage)
        assert consent == InboundConsent(ADA, given=False, source="/stop", at=AT)

    @pytest.mark.parametrize("text", ["/starting", "/stopwatch", "please /stop", "/start a b"])
    def test_other_words_are_only_words(self, text: str) -> None:
        assert len(read("message", message(text=text))) == 1


class TestOtherUpdates:
    def test_an_edit(self) -> None:
        (inbound,) = read(*OTHERS["edited"])
        assert isinstance(inbound, InboundEdit)
        assert (inbound.external_id, inbound.content) == ("5012/31", TextContent(text="Three flat whites"))

    def test_a_press_on_a_button(self) -> None:
        (inbound,) = read(*OTHERS["press"])
        assert inbound == InboundMessage(
            "callback/4382", ADA, ReplyContent(text="Yes, please", payload="YES"), reply_to="5012/30"
        )

    @pytest.mark.parametrize("name", ["press on a message that is gone", "press without a message"])
    def test_a_press_counts_where_its_message_cannot_be_seen(self, name: str) -> None:
        (inbound,) = read(*OTHERS[name])
        assert isinstance(inbound, InboundMessage)
        assert inbound.person.identities == {"telegram": "5012"}
        assert inbound.content == ReplyContent(text="YES", payload="YES")

    def test_a_press_in_a_group_names_who_pressed(self) -> None:
        (inbound,) = read(*OTHERS["press in a group"])
        assert isinstance(inbound, InboundMessage)
        assert inbound.person.identities == {"telegram": "-4455"}
        assert inbound.author == "Ada Byron"

    def test_a_press_is_confirmed_in_the_answer_to_the_call(self) -> None:
        answer = CHANNEL.answer(INBOX, call({"update_id": 1, "callback_query": press()}))
        assert answer == {"method": "answerCallbackQuery", "callback_query_id": "4382"}
        for body in ({"update_id": 1, "message": MESSAGES["text"]}, {"callback_query": 7}, None):
            assert CHANNEL.answer(INBOX, call(body)) is None
        assert CHANNEL.answer(INBOX, HookRequest("POST", {}, {}, b"{")) is None

    @pytest.mark.parametrize(
        ("name", "emoji"),
        [("reaction", "🔥"), ("reaction taken back", ""), ("reaction of one's own making", "❔")],
    )
    def test_reactions(self, name: str, emoji: str) -> None:
        (inbound,) = read(*OTHERS[name])
        assert inbound == InboundReaction("5012/30", ADA, emoji, AT)

    @pytest.mark.parametrize(
        ("name", "given", "source"),
        [
            ("blocked", False, "blocked the bot"),
            ("unblocked", True, "unblocked the bot"),
            ("thrown out of a group", False, "removed the bot from the group"),
            ("taken into a group", True, "took the bot into the group"),
        ],
    )
    def test_who_blocks_the_bot_takes_consent_back(self, name: str, given: bool, source: str) -> None:  # noqa: FBT001 - a case.
        (inbound,) = read(*OTHERS[name])
        assert isinstance(inbound, InboundConsent)
        assert (inbound.given, inbound.source) == (given, source)

    def test_being_made_an_admin_changes_no_consent(self) -> None:
        kind, part = OTHERS["taken into a group"]
        (inbound,) = read(kind, part | {"old_chat_member": {"status": "member"}})
        assert inbound == InboundUnknown("my_chat_member")

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_the_rest_is_counted_under_its_kind(self, name: str) -> None:
        kind, part = UNKNOWN[name]
        assert read(kind, part) == [InboundUnknown(kind)]

    def test_an_update_without_anything_is_unknown_too(self) -> None:
        assert CHANNEL.parse(INBOX, {"update_id": 5}) == [InboundUnknown("empty")]


class TestBusiness:
    def test_a_customer_of_the_owner_is_answered_through_the_connection(self) -> None:
        (inbound,) = read(*OTHERS["business message"])
        assert isinstance(inbound, InboundMessage)
        assert inbound.person.identities == {"telegram_business": "bc_77/5012", "telegram": "5012"}
        assert inbound.external_id == "bc_77/5012/31"

    def test_what_the_owner_writes_is_an_echo_of_a_person(self) -> None:
        (echo,) = read(*OTHERS["business message of the owner"])
        assert isinstance(echo, InboundEcho)
        assert (echo.by_app, echo.author, echo.person.name) == (False, "Olive", "Ada Byron")

    def test_what_the_bot_writes_for_the_owner_is_our_own(self) -> None:
        (echo,) = read(*OTHERS["business message of the bot"])
        assert isinstance(echo, InboundEcho)
        assert echo.by_app is True

    def test_edits_and_deletions(self) -> None:
        (edit,) = read(*OTHERS["edited business message"])
        assert isinstance(edit, InboundEdit)
        unsent = read(*OTHERS["deleted business messages"])
        assert [one.external_id for one in unsent if isinstance(one, InboundUnsend)] == [
            "bc_77/5012/31",
            "bc_77/5012/32",
        ]

    def test_a_connection_is_news_of_the_account(self) -> None:
        words = [
            one.words
            for name in ("business connected", "business gone")
            for one in read(*OTHERS[name])
            if isinstance(one, InboundAccount)
        ]
        assert words == [
            "Olive lets the bot answer for their business account.",
            "Olive took the bot off their business account.",
        ]


@given(body=st.binary(max_size=60) | ANY_JSON.map(json.dumps).map(str.encode))
def test_any_body_is_kept_or_is_no_json(body: bytes) -> None:
    try:
        events = CHANNEL.split(INBOX, HookRequest("POST", {}, {}, body), Verified())
    except InvalidInput:
        return
    assert [CHANNEL.parse(INBOX, event.payload) for event in events]
