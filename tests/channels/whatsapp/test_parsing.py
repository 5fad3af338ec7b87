"""What each kind of WhatsApp's webhooks comes to."""

import copy
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from chatwright.channels.whatsapp.channel import WhatsApp
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.kernel.errors import InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.net.reading import as_list, as_map
from chatwright.ports.channel import HookRequest, InboxView, Verified
from chatwright.ports.content import (
    ContactCardContent,
    LocationContent,
    MediaContent,
    ReactionContent,
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
    InboundEdit,
    InboundIdentity,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundStatus,
    InboundTemplate,
    InboundUnknown,
    InboundUnsend,
    Person,
    Pricing,
    RawEvent,
    Referral,
)
from chatwright.ports.sending import Reaction
from tests.channels.contract import OTHERS, an_inbox
from tests.channels.whatsapp import payloads as wa

CHANNEL = WhatsApp(Web())
SETTINGS: dict[str, Any] = {
    "phone_number_id": wa.NUMBER_ID,
    "waba_id": wa.WABA,
    "access_token": "EAAtoken",
    "app_secrets": [wa.OLDER_SECRET, wa.SECRET],
    "phone_number": "+1 555-014-2093",
}
INBOX: InboxView[WhatsAppSettings] = an_inbox(WhatsAppSettings.model_validate(SETTINGS))
NOW = datetime.fromtimestamp(wa.NOW, UTC)
JONAS = Person(
    {"wa_id": wa.PHONE, "bsuid": wa.USER_ID, "parent_bsuid": wa.PARENT_ID},
    name="Jonas Weber",
    phone=f"+{wa.PHONE}",
)


def split(request: HookRequest) -> list[RawEvent]:
    return list(CHANNEL.split(INBOX, request, CHANNEL.verify(INBOX, request)))


def read(request: HookRequest, inbox: InboxView[WhatsAppSettings] = INBOX) -> list[Inbound]:
    """What the channel makes of a call."""
    return [found for event in split(request) for found in CHANNEL.parse(inbox, event.payload)]


def heard(name: str) -> InboundMessage:
    (found,) = read(wa.said(wa.MESSAGES[name]))
    assert isinstance(found, InboundMessage)
    return found


class TestMessages:
    def test_a_text_with_whom_and_when(self) -> None:
        found = heard("text")
        expected = TextContent(text="Grüß Gott 😀 / alles klar?")
        assert found == InboundMessage(wa.MESSAGES["text"]["id"], JONAS, expected, NOW)
        assert next(iter(found.person.identities.values())) == wa.PHONE

    def test_milliseconds_are_the_same_moment(self) -> None:
        assert heard("text in milliseconds").sent_at == NOW

    def test_an_answer_names_what_it_answers(self) -> None:
        assert heard("answer").reply_to == "wamid.sent-1"
        assert heard("forwarded").reply_to is None
        assert heard("product enquiry").content == TextContent(text="Still there?")

    @pytest.mark.parametrize(
        ("name", "kind", "caption", "filename"),
        [
            ("image", "image", "The broken one", None),
            ("image with url", "image", None, None),
            ("video", "video", None, None),
            ("audio", "audio", None, None),
            ("voice", "voice", None, None),
            ("voice of its own type", "voice", None, None),
            ("document", "file", "Invoice", "Rechnung 17.pdf"),
            ("sticker", "sticker", None, None),
        ],
    )
    def test_a_file_and_what_it_is_fetched_by(
        self, name: str, kind: str, caption: str | None, filename: str | None
    ) -> None:
        found, sent = heard(name), wa.MESSAGES[name]
        part = sent[sent["type"]]
        content = found.content
        assert isinstance(content, MediaContent)
        assert (content.kind, content.caption, content.filename) == (kind, caption, filename)
        assert content.url is None
        assert found.media == f"{part['id']} {part['sha256']}"

    def test_places(self) -> None:
        assert heard("location").content == LocationContent(
            latitude=47.0707, longitude=15.4395, name="Clock tower", address="Schlossberg, Graz"
        )
        assert heard("bare location").content == LocationContent(latitude=-33.9, longitude=18.4)
        assert heard("impossible location").content == UnsupportedContent(kind="location")

    def test_each_card_is_a_message_of_its_own(self) -> None:
        first, second = read(wa.said(wa.MESSAGES["contacts"]))
        assert isinstance(first, InboundMessage)
        assert isinstance(second, InboundMessage)
        assert first.content == ContactCardContent(
            name="Mira Novak", phones=["+43 660 5550199"], emails=["mira@example.com"]
        )
        assert second.content == ContactCardContent(name="Plumber", phones=["436605550111"])
        assert (first.external_id, second.external_id) == (
            wa.MESSAGES["contacts"]["id"],
            wa.MESSAGES["contacts"]["id"] + "/2",
        )

    def test_a_number_that_was_asked_for_is_the_sender_s(self) -> None:
        sent = {key: part for key, part in wa.MESSAGES["contact request"].items() if key != "from"}
        (found,) = read(wa.said(sent, contact=wa.card(named=False)))
        assert isinstance(found, InboundMessage)
        assert found.person.phone == "+49 151 55512345"
        assert "wa_id" not in found.person.identities

    def test_reactions_come_and_go(self) -> None:
        assert read(wa.said(wa.MESSAGES["reaction"])) == [InboundReaction("wamid.sent-1", JONAS, "🙏", NOW)]
        assert read(wa.said(wa.MESSAGES["reaction taken back"])) == [
            InboundReaction("wamid.sent-1", JONAS, "", NOW)
        ]

    @pytest.mark.parametrize(
        ("name", "text", "payload"),
        [
            ("quick reply of a template", "Stop", "STOP_NEWS"),
            ("button", "Size 42", "size-42"),
            ("row", "Tuesday 9:00", "tue-9"),
            ("form", "Sent", '{"flow_token":"t1","day":"tue"}'),
            ("form that is no object", "flow", "[1"),
        ],
    )
    def test_what_was_pressed(self, name: str, text: str, payload: str) -> None:
        assert heard(name).content == ReplyContent(text=text, payload=payload)

    @pytest.mark.parametrize(
        ("name", "kind", "text"),
        [
            ("call permission", "call_permission_reply", "accept"),
            ("order", "order", "For Friday, please\n2 x BOOT-42 (79.9 EUR)\n1 x LACE-1"),
            ("unsupported", "poll_creation", None),
            ("unsupported without more", "unsupported", None),
            ("legacy unknown", "unknown", None),
            ("kind of tomorrow", "hologram", None),
            ("empty text", "text", None),
        ],
    )
    def test_what_cannot_be_shown_is_still_a_message(self, name: str, kind: str, text: str | None) -> None:
        assert heard(name).content == UnsupportedContent(kind=kind, text=text)

    def test_who_came_through_an_ad(self) -> None:
        assert heard("ad").referral == Referral(
            "ad",
            ad_id="120208811223344",
            click_id="Aff-n8ZTODiE79d22KtAwQKj9e",
            url="https://fb.me/3xAmple",
            headline="Boots for autumn",
        )
        assert heard("post").referral == Referral("post", url="https://fb.me/p")
        assert heard("text").referral is None

    def test_every_message_opens_the_window_of_a_day_alone(self) -> None:
        # The free entry point of 72 hours is about what a message costs, and not about what may be sent.
        assert {heard(name).free_for for name in ("text", "ad")} == {None}
        assert heard("ad").opens_window

    def test_somebody_with_a_username_has_no_number(self) -> None:
        sent = {key: part for key, part in wa.MESSAGES["text"].items() if key != "from"}
        (found,) = read(wa.said(sent, contact=wa.card(named=False)))
        assert isinstance(found, InboundMessage)
        assert found.person == Person(
            {"bsuid": wa.USER_ID, "parent_bsuid": wa.PARENT_ID}, name="Jonas Weber", username="jonas.weber"
        )

    def test_a_message_of_nobody_is_kept(self) -> None:
        sent = {"id": "wamid.x", "type": "text", "text": {"body": "hi"}, "timestamp": str(wa.NOW)}
        request = wa.call(wa.entry(wa.change("messages", wa.value(messages=[sent]))))
        assert read(request) == [InboundUnknown("text of nobody")]

    def test_a_group_is_kept(self) -> None:
        sent = wa.message("text", {"body": "hi all"}, group_id="Y2FwaV9ncm91")
        assert read(wa.said(sent)) == [InboundUnknown("group text")]

    def test_each_contact_goes_with_their_own_message(self) -> None:
        other = {"from": "436605550199", "from_user_id": "AT.5", "id": "wamid.other"}
        messages = [wa.MESSAGES["text"], {**wa.MESSAGES["answer"], **other}]
        mira = {"profile": {"name": "Mira"}, "wa_id": "436605550199", "user_id": "AT.5"}
        request = wa.call(
            wa.entry(wa.change("messages", wa.value(contacts=[wa.card(), mira], messages=messages)))
        )
        names = [found.person.name for found in read(request) if isinstance(found, InboundMessage)]
        assert names == ["Jonas Weber", "Mira"]
        assert len({event.lane for event in split(request)}) == 2


class TestChanges:
    def test_an_edit_and_a_revoke(self) -> None:
        edited, captioned, revoked = (read(wa.said(sent))[0] for sent in wa.CHANGES.values())
        assert edited == InboundEdit("wamid.first", JONAS, TextContent(text="at nine"), NOW)
        assert isinstance(captioned, InboundEdit)
        assert captioned.content == MediaContent(kind="image", caption="new")
        assert revoked == InboundUnsend("wamid.first", JONAS)

    def test_a_change_of_nothing_is_kept(self) -> None:
        assert read(wa.said(wa.message("revoke", {}))) == [InboundUnknown("revoke of nothing")]

    def test_people_move_to_other_numbers_and_ids(self) -> None:
        number, older, user_id, device, tomorrow = (read(wa.said(sent))[0] for sent in wa.SYSTEM.values())
        before = Person({"wa_id": wa.PHONE, "bsuid": wa.USER_ID}, phone=f"+{wa.PHONE}")
        assert number == InboundIdentity(
            before,
            Person({"wa_id": "4915155599999"}, phone="+4915155599999"),
            "Jonas changed from A to B",
        )
        assert isinstance(older, InboundIdentity)
        assert older.now.identities == {"wa_id": "4915155588888"}
        assert isinstance(user_id, InboundIdentity)
        assert (user_id.person, user_id.now.identities) == (before, {"bsuid": "DE.10000000000000000009"})
        assert device == InboundProfile(JONAS, {"identity_hash": "dF9oHq"})
        assert tomorrow == InboundUnknown("system user_moved_to_mars")

    def test_a_rotated_user_id_keeps_the_old_one_as_an_alias(self) -> None:
        update = {
            "user_id": {"previous": wa.USER_ID, "current": "DE.2"},
            "parent_user_id": {"previous": wa.PARENT_ID, "current": "DE.ENT.2"},
            "wa_id": "4915155599999",
            "detail": "Jonas has a new id",
            "timestamp": str(wa.NOW),
        }
        changed = wa.value(contacts=[wa.card(user_id="DE.2")], user_id_update=[update])
        (found,) = read(wa.call(wa.entry(wa.change("user_id_update", changed))))
        assert isinstance(found, InboundIdentity)
        assert found.person.identities == {"bsuid": wa.USER_ID, "parent_bsuid": wa.PARENT_ID}
        assert list(found.now.identities.items()) == [
            ("wa_id", "4915155599999"),
            ("bsuid", "DE.2"),
            ("parent_bsuid", "DE.ENT.2"),
        ]
        assert (found.now.name, found.reason) == ("Jonas Weber", "Jonas has a new id")

    @pytest.mark.parametrize(("choice", "given"), [("stop", False), ("resume", True), ("signup", True)])
    def test_marketing_is_stopped_and_resumed(self, choice: str, given: bool) -> None:  # noqa: FBT001
        preference = {
            "wa_id": wa.PHONE,
            "category": "marketing_messages",
            "value": choice,
            "detail": f"User requested to {choice}",
            "timestamp": wa.NOW,
        }
        changed = wa.value(contacts=[wa.card()], user_preferences=[preference])
        (found,) = read(wa.call(wa.entry(wa.change("user_preferences", changed))))
        assert isinstance(found, InboundConsent)
        assert (found.given, found.purpose, found.at) == (given, "marketing", NOW)
        assert found.source == f"User requested to {choice}"
        assert found.person.identities["wa_id"] == wa.PHONE


class TestEchoes:
    def echo(self, sent: dict[str, Any]) -> Inbound:
        message = {**sent, "from": wa.NUMBER, "to": wa.PHONE, "to_user_id": wa.USER_ID}
        changed = wa.value(contacts=[wa.card()], message_echoes=[message])
        (found,) = read(wa.call(wa.entry(wa.change("smb_message_echoes", changed))))
        return found

    def test_somebody_of_ours_wrote_in_the_business_app(self) -> None:
        found = self.echo(wa.MESSAGES["text"])
        assert isinstance(found, InboundEcho)
        assert found.person.identities["wa_id"] == wa.PHONE
        assert (found.by_app, found.sent_at, found.external_id) == (False, NOW, wa.MESSAGES["text"]["id"])

    def test_with_a_file(self) -> None:
        found = self.echo(wa.MESSAGES["image"])
        assert isinstance(found, InboundEcho)
        assert found.media

    def test_reacted_edited_and_revoked(self) -> None:
        reacted = self.echo(wa.MESSAGES["reaction"])
        assert isinstance(reacted, InboundEcho)
        assert reacted.content == ReactionContent(message_id="wamid.sent-1", emoji="🙏")
        assert isinstance(self.echo(wa.CHANGES["edit"]), InboundEdit)
        assert isinstance(self.echo(wa.CHANGES["revoke"]), InboundUnsend)


class TestStatuses:
    @pytest.mark.parametrize(
        ("word", "reached"),
        [
            ("sent", DeliveryStatus.SENT),
            ("delivered", DeliveryStatus.DELIVERED),
            ("read", DeliveryStatus.READ),
            ("played", DeliveryStatus.READ),
        ],
    )
    def test_how_far_it_got(self, word: str, reached: DeliveryStatus) -> None:
        ours = str(new_id())
        (found,) = read(wa.statuses(wa.status(word, biz_opaque_callback_data=ours)))
        assert isinstance(found, InboundStatus)
        assert (found.message_id, found.external_id, found.status) == (ours, "wamid.sent-1", reached)
        assert found.at == NOW
        assert found.person is not None
        assert found.person.identities == {"wa_id": wa.PHONE, "bsuid": wa.USER_ID}

    def test_data_of_another_program_is_not_our_id(self) -> None:
        (found,) = read(wa.statuses(wa.status("sent", biz_opaque_callback_data="campaign 7")))
        assert isinstance(found, InboundStatus)
        assert found.message_id == "wamid.sent-1"

    def test_what_it_costs(self) -> None:
        newer = {"pricing_model": "PMP", "category": "utility", "type": "regular"}
        older = {"billable": False, "pricing_model": "CBP", "category": "service"}
        found = read(wa.statuses(wa.status("sent", pricing=newer), wa.status("delivered", pricing=older)))
        prices = [one.pricing for one in found if isinstance(one, InboundStatus)]
        assert prices == [
            Pricing(billable=True, category="utility", model="PMP", kind="regular"),
            Pricing(billable=False, category="service", model="CBP"),
        ]

    @pytest.mark.parametrize(
        ("code", "reaction"),
        [
            (131047, Reaction.WINDOW_CLOSED),
            (131026, Reaction.UNREACHABLE),
            (131050, Reaction.OPTED_OUT),
            (131049, Reaction.BAD_PAYLOAD),
            (131042, Reaction.PAUSE_CHANNEL),
        ],
    )
    def test_why_it_failed(self, code: int, reaction: Reaction) -> None:
        error = {"code": code, "title": "Oh", "message": "Oh", "error_data": {"details": "Because of this."}}
        (found,) = read(wa.statuses(wa.status("failed", errors=[error])))
        assert isinstance(found, InboundStatus)
        assert (found.status, found.reaction, found.code) == (DeliveryStatus.FAILED, reaction, str(code))
        assert found.detail is not None
        assert found.detail.endswith("Because of this.")

    def test_a_failure_without_a_reason(self) -> None:
        (found,) = read(wa.statuses(wa.status("failed")))
        assert isinstance(found, InboundStatus)
        assert (found.status, found.reaction) == (DeliveryStatus.FAILED, None)

    def test_what_nobody_knows_is_kept(self) -> None:
        assert read(wa.statuses(wa.status("in_orbit"))) == [InboundUnknown("status in_orbit")]
        assert read(wa.statuses(wa.status("read", recipient_type="group"))) == [
            InboundUnknown("group status read")
        ]

    def test_each_step_of_a_message_is_an_event_of_its_own(self) -> None:
        steps = [wa.status(word) for word in ("sent", "delivered", "read", "read")]
        keys = [event.dedupe_key for event in split(wa.statuses(*steps))]
        assert len(set(keys)) == 3


class TestAccount:
    def news(self, name: str, **settings: Any) -> Inbound:
        inbox = an_inbox(WhatsAppSettings.model_validate({**SETTINGS, **settings}))
        (found,) = read(wa.happened(*wa.ACCOUNT[name]), inbox)
        return found

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("approved", {"status": "approved", "category": "utility"}),
            ("rejected", {"status": "rejected", "reason": "Two braces."}),
            ("unarchived", {"status": "approved"}),
            ("quality", {"quality": "red"}),
            ("category", {"category": "marketing"}),
            ("components", {}),
        ],
    )
    def test_templates_live(self, name: str, expected: dict[str, str]) -> None:
        named = InboundTemplate("pickup_ready", "de", template_id="5540019283")
        found = self.news(name)
        assert isinstance(found, InboundTemplate)
        assert found == InboundTemplate(named.name, named.language, template_id=named.template_id, **expected)

    @pytest.mark.parametrize(
        ("name", "health"),
        [
            ("banned", "paused"),
            ("restricted", "paused"),
            ("app removed", "reconnect"),
            ("event of tomorrow", None),
            ("alert", None),
            ("review", "paused"),
            ("flagged", "limited"),
            ("throughput", None),
            ("name", None),
            ("capability", None),
            ("username", None),
            ("security", None),
        ],
    )
    def test_the_account_lives(self, name: str, health: str | None) -> None:
        found = self.news(name)
        assert isinstance(found, InboundAccount)
        assert found.health == health
        assert found.words.endswith(".")

    def test_a_faster_number_and_its_limit(self) -> None:
        found = self.news("throughput")
        assert isinstance(found, InboundAccount)
        assert found.per_second == 1000
        assert "any number of people" in found.words
        limited = self.news("capability")
        assert isinstance(limited, InboundAccount)
        assert "2000 people" in limited.words

    @pytest.mark.parametrize("name", sorted(wa.ACCOUNT))
    def test_another_account_s_news_are_not_ours(self, name: str) -> None:
        assert self.news(name, waba_id="1") == InboundUnknown(f"{wa.ACCOUNT[name][0]} of another account")

    def test_another_number_s_news_are_not_ours(self) -> None:
        field = wa.ACCOUNT["flagged"][0]
        assert self.news("flagged", phone_number="1555000") == InboundUnknown(f"{field} of another account")

    @pytest.mark.parametrize("name", sorted(wa.KEPT))
    def test_what_we_do_not_work_with_is_kept(self, name: str) -> None:
        field, changed = wa.KEPT[name]
        assert read(wa.happened(field, changed)) == [InboundUnknown(field)]

    def test_errors_of_the_app_are_kept(self) -> None:
        request = wa.happened("messages", wa.value(errors=[{"code": 130429, "title": "Rate limit hit"}]))
        assert read(request) == [InboundUnknown("error 130429")]


class TestCutting:
    def test_several_numbers_of_several_accounts_in_one_call(self) -> None:
        request = wa.call(
            wa.entry(
                wa.change("messages", wa.value(contacts=[wa.card()], messages=[wa.MESSAGES["text"]])),
                wa.change("messages", wa.value("777", statuses=[wa.status("sent"), wa.status("read")])),
            ),
            wa.entry(wa.change("messages", wa.value("888", messages=[wa.MESSAGES["image"]])), waba="2"),
            wa.entry(wa.change(*wa.ACCOUNT["approved"])),
        )
        assert [event.account for event in split(request)] == [wa.NUMBER_ID, "777", "777", "888", None]

    def test_the_id_is_the_key_whatever_else_differs(self) -> None:
        sent = wa.MESSAGES["text"]
        again = {**sent, "timestamp": str(wa.NOW + 5)}
        first, second = (split(wa.said(one))[0].dedupe_key for one in (sent, again))
        assert first == second == f"message:{sent['id']}"

    def test_an_absurdly_long_id_fits_into_the_index(self) -> None:
        (event,) = split(wa.said(wa.message("text", {"body": "x"}, wamid="w" * 5000)))
        assert len(event.dedupe_key) < 100

    @pytest.mark.parametrize(
        "value",
        [None, 7, [], "text", {"messages": {}}, {"messages": [None]}, {"statuses": ["x"]}, {"contacts": []}],
    )
    def test_another_shape_is_kept_whole(self, value: Any) -> None:
        events = split(wa.happened("messages", value))
        assert [CHANNEL.parse(INBOX, event.payload) for event in events]
        assert all(
            isinstance(found, InboundUnknown)
            for event in events
            for found in CHANNEL.parse(INBOX, event.payload)
        )

    def test_what_is_no_json_is_refused(self) -> None:
        with pytest.raises(InvalidInput):
            split(wa.signed(b"<xml/>"))

    def test_an_old_webhook_that_is_played_back_has_no_effect(self) -> None:
        long_ago = wa.NOW - timedelta(days=40).total_seconds()
        sent = {**wa.MESSAGES["text"], "timestamp": str(int(long_ago))}
        assert read(wa.said(sent)) == [InboundUnknown("message played back")]
        week = {**wa.MESSAGES["text"], "timestamp": str(wa.NOW - 7 * 86400)}
        assert isinstance(read(wa.said(week))[0], InboundMessage)

    def test_unsigned_or_altered_bodies_are_refused_before_anything_is_read(self) -> None:
        good = wa.said(wa.MESSAGES["text"])
        # Made anew, the bytes differ though the JSON is the same.
        anew = HookRequest("POST", good.headers, {}, orjson.dumps(orjson.loads(good.body)))
        for request in (anew, wa.call(wa.entry(), secret="another")):
            with pytest.raises(Unauthenticated):
                CHANNEL.verify(INBOX, request)
        older = wa.call(wa.entry(), secret=wa.OLDER_SECRET)
        assert CHANNEL.verify(INBOX, older) == Verified()


def _places(value: object, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: dict[Any, object] = {**as_map(value), **dict(enumerate(as_list(value)))}
    for key, part in items.items():
        yield (*at, key)
        yield from _places(part, (*at, key))


def _calls() -> Iterator[Any]:
    for sent in (*wa.MESSAGES.values(), *wa.SYSTEM.values(), *wa.CHANGES.values()):
        yield {"entry": [wa.entry(wa.change("messages", wa.value(contacts=[wa.card()], messages=[sent])))]}
    for field, value in (*wa.ACCOUNT.values(), *wa.KEPT.values()):
        yield {"entry": [wa.entry(wa.change(field, value))]}
    yield {
        "entry": [
            wa.entry(wa.change("messages", wa.value(statuses=[wa.status("sent"), wa.status("failed")])))
        ]
    }


SEEDS = list(_calls())
ODD: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(OTHERS)


def mutated(call: Any, choose: Callable[[Sequence[Any]], Any], odd: Callable[[], Any]) -> bytes:
    """A call with up to three of its parts exchanged."""
    call = copy.deepcopy(call)
    for _ in range(choose((1, 2, 3))):
        path = choose(sorted(_places(call), key=repr))
        place: Any = call
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = odd()
    return orjson.dumps(call)


@given(st.data())
def test_a_mutated_webhook_is_read_and_nothing_of_it_is_lost(data: st.DataObject) -> None:
    try:
        body = mutated(
            data.draw(st.sampled_from(SEEDS)),
            lambda choices: data.draw(st.sampled_from(choices)),
            lambda: data.draw(ODD),
        )
    except orjson.JSONEncodeError:
        return  # An integer that JSON as we write it does not have.
    events = CHANNEL.split(INBOX, HookRequest("POST", {}, {}, body), Verified())
    assert events
    for event in events:
        assert orjson.loads(orjson.dumps(dict(event.payload))) == event.payload
        assert CHANNEL.parse(INBOX, event.payload)
