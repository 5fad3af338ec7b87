"""What goes out to Messenger and what comes back, through the sandbox's page."""

from typing import Any

import pytest

from chatwright.kernel.errors import Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import CredentialsLost, DownloadFailed, ProviderRefused
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    Content,
    ListContent,
    ListRow,
    ListSection,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    ReplyContent,
    StoryReferenceContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.inbound import (
    DeliveryStatus,
    InboundEcho,
    InboundEdit,
    InboundLead,
    InboundMessage,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundUnsend,
    InboundWatermark,
    Person,
)
from chatwright.ports.sending import Outgoing, Reaction
from chatwright.ports.templates import TemplateDraft
from tests.channels.messenger.conftest import PNG, Counter, a_file

HELLO = TextContent(text="Ein Café für zwei 🙂")
DAY = 86_400


class TestContents:
    async def test_text(self, counter: Counter) -> None:
        outcome = await counter.send(HELLO)
        bubble = (await counter.shop.bubbles())[-1]
        assert (bubble["id"], bubble["text"], bubble["side"]) == (
            outcome.external_id,
            HELLO.text,
            "account",
        )
        assert outcome.load == 0.05

    async def test_a_file_is_uploaded(self, counter: Counter) -> None:
        outcome = await counter.send(MediaContent(kind="image", attachment_id=new_id()), file=a_file())
        assert outcome.reaction is None
        (media,) = (await counter.shop.bubbles())[-1]["media"]
        assert (media["kind"], media["mime_type"], media["content"]) == ("image", "image/png", len(PNG))

    @pytest.mark.parametrize(
        ("kind", "media_type", "shown"),
        [
            ("voice", "audio/mp4", "audio"),
            ("video", "video/mp4", "video"),
            ("sticker", "image/png", "image"),
            ("file", "application/pdf", "file"),
        ],
    )
    async def test_kinds_of_files(self, counter: Counter, kind: Any, media_type: str, shown: str) -> None:
        file = a_file(b"x" * 100, media_type, "a file.bin")
        outcome = await counter.send(MediaContent(kind=kind, attachment_id=new_id()), file=file)
        assert outcome.reaction is None
        assert (await counter.shop.bubbles())[-1]["media"][0]["kind"] == shown

    async def test_a_file_elsewhere_is_sent_by_its_address(self, counter: Counter) -> None:
        outcome = await counter.send(MediaContent(kind="image", url="https://bean.example/cup.png"))
        assert outcome.reaction is None
        assert (await counter.shop.bubbles())[-1]["media"][0]["url"] == "https://bean.example/cup.png"

    async def test_buttons_come_back_when_pressed(self, counter: Counter) -> None:
        buttons = [Button(label="Oat", payload="OAT"), Button(label="Menu", url="https://bean.example/menu")]
        await counter.send(ButtonsContent(text="Milk?", buttons=buttons))
        bubble = (await counter.shop.bubbles())[-1]
        assert [(one["title"], one["kind"]) for one in bubble["buttons"]] == [
            ("Oat", "postback"),
            ("Menu", "web_url"),
        ]
        await counter.heard()
        await counter.shop.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
        (inbound,) = await counter.heard()
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == ReplyContent(text="Oat", payload="OAT")

    async def test_quick_replies_come_back_when_chosen(self, counter: Counter) -> None:
        await counter.send(
            QuickRepliesContent(text="Size?", replies=[Button(label="Big"), Button(label="Small")])
        )
        bubble = (await counter.shop.bubbles())[-1]
        await counter.heard()
        await counter.shop.act("press", bubble=bubble["id"], button=bubble["buttons"][1]["id"])
        (inbound,) = await counter.heard()
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == ReplyContent(text="Small", payload="Small")

    async def test_a_carousel(self, counter: Counter) -> None:
        cards = [
            Card(title="Bare"),
            Card(title="Beans", subtitle="s" * 90, image_url="https://bean.example/1.png"),
            Card(title="Cups", buttons=[Button(label="Buy", payload="CUP")]),
        ]
        outcome = await counter.send(CarouselContent(cards=cards))
        assert outcome.reaction is None
        shown = (await counter.shop.bubbles())[-1]["cards"]
        assert [(card["title"], len(card["subtitle"])) for card in shown] == [
            ("Bare", 4),
            ("Beans", 80),
            ("Cups", 0),
        ]
        assert shown[2]["buttons"][0]["payload"] == "CUP"

    async def test_an_answer_quotes_what_it_answers(self, counter: Counter) -> None:
        asked = (await counter.shop.bubbles())[-1]["id"]
        await counter.send(HELLO, reply_to=asked)
        assert (await counter.shop.bubbles())[-1]["reply_to"] == asked

    async def test_a_reaction_comes_and_goes(self, counter: Counter) -> None:
        asked = (await counter.shop.bubbles())[-1]["id"]
        for emoji, shown in (("🎉", {"account": "🎉"}), ("", {})):
            outcome = await counter.send(ReactionContent(message_id=asked, emoji=emoji))
            assert outcome.reaction is None
            assert (await counter.shop.bubbles())[-1]["reactions"] == shown

    async def test_what_has_no_form_here_is_refused_before_anything_is_sent(self, counter: Counter) -> None:
        rows = [ListRow(title="One")]
        unshown: list[Content] = [
            ListContent(text="Pick", button="Open", sections=[ListSection(rows=rows)]),
            MediaContent(kind="image"),
        ]
        before = len(await counter.shop.bubbles())
        for content in unshown:
            assert (await counter.send(content)).reaction is Reaction.BAD_PAYLOAD
        assert len(await counter.shop.bubbles()) == before

    async def test_everything_that_capabilities_allow_is_taken(self, counter: Counter) -> None:
        capabilities = counter.channel.capabilities
        label = "l" * capabilities.label_limit
        text = "t" * capabilities.button_text_limit
        buttons = [Button(label=label, payload="p" * capabilities.payload_bytes)]
        full: list[Content] = [
            TextContent(text="x" * capabilities.text_limit),
            ButtonsContent(text=text, buttons=buttons * capabilities.buttons_limit),
            QuickRepliesContent(text=text, replies=buttons * capabilities.quick_replies_limit),
            CarouselContent(cards=[Card(title="c" * 80, buttons=buttons * 3)] * capabilities.cards_limit),
        ]
        for content in full:
            assert (await counter.send(content)).reaction is None


class TestWindows:
    async def test_a_person_may_answer_for_a_week(self, counter: Counter) -> None:
        await counter.shop.change_ada(said_seconds_ago=2 * DAY)
        closed = await counter.send(HELLO)
        assert (closed.reaction, closed.code) == (Reaction.WINDOW_CLOSED, "10/2018278")
        assert (await counter.send(HELLO, window="human")).reaction is None

    async def test_a_bot_may_not(self, counter: Counter) -> None:
        await counter.shop.change_ada(said_seconds_ago=2 * DAY)
        outcome = await counter.send(HELLO, window="human", by_person=False)
        assert outcome.reaction is Reaction.WINDOW_CLOSED

    async def test_after_a_week_nobody_may(self, counter: Counter) -> None:
        await counter.shop.change_ada(said_seconds_ago=8 * DAY)
        for window in ("human", "closed"):
            assert (await counter.send(HELLO, window=window)).reaction is Reaction.WINDOW_CLOSED


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "reaction"),
        [
            ("551/1545041", Reaction.UNREACHABLE),
            ("200/1545041", Reaction.UNREACHABLE),
            ("10/2018108", Reaction.UNREACHABLE),
            ("10/2018065", Reaction.RECONNECT),
            ("100/2018109", Reaction.BAD_PAYLOAD),
            ("613", Reaction.RETRY_AFTER),
            ("32", Reaction.RETRY_AFTER),
            ("368", Reaction.PAUSE_CHANNEL),
            ("10/1893063", Reaction.PAUSE_CHANNEL),
            ("10904", Reaction.PAUSE_CHANNEL),
            ("190/460", Reaction.RECONNECT),
            ("190", Reaction.REFRESH_TOKEN),
            ("2", Reaction.RETRY),
        ],
    )
    async def test_a_refusal(self, counter: Counter, fault: str, reaction: Reaction) -> None:
        await counter.shop.fault(restricted=fault)
        outcome = await counter.send(HELLO)
        assert (outcome.reaction, outcome.code) == (reaction, fault)
        assert outcome.detail
        assert counter.shop.token not in repr(outcome)

    async def test_somebody_whom_the_page_does_not_know(self, counter: Counter) -> None:
        assert (await counter.send(HELLO, to="42")).reaction is Reaction.UNREACHABLE

    async def test_somebody_who_blocked_the_page(self, counter: Counter) -> None:
        await counter.shop.act("block")
        assert (await counter.send(HELLO)).reaction is Reaction.UNREACHABLE

    async def test_an_answer_that_never_comes_leaves_it_open(self, counter: Counter) -> None:
        await counter.shop.fault(silent=1)
        outcome = await counter.send(HELLO)
        assert (outcome.reaction, outcome.external_id) == (Reaction.UNKNOWN, None)
        assert (await counter.shop.bubbles())[-1]["text"] == HELLO.text

    async def test_a_server_that_is_not_there_took_nothing(self, counter: Counter) -> None:
        inbox = counter.with_settings(base_url="http://127.0.0.1:9")
        outcome = await counter.channel.send(inbox, Outgoing(new_id(), counter.shop.ada["id"], HELLO))
        assert outcome.reaction is Reaction.RETRY

    async def test_an_upload_that_fails_sends_nothing(self, counter: Counter) -> None:
        inbox = counter.with_settings(base_url="http://127.0.0.1:9")
        outgoing = Outgoing(
            new_id(),
            counter.shop.ada["id"],
            MediaContent(kind="image", attachment_id=new_id()),
            file=a_file(),
        )
        assert (await counter.channel.send(inbox, outgoing)).reaction is Reaction.RETRY

    async def test_a_moment_too_fast_costs_a_moment_and_an_empty_allowance_more(
        self, counter: Counter
    ) -> None:
        await counter.shop.fault(too_many=1)
        outcome = await counter.send(HELLO)
        assert (outcome.code, outcome.retry_after, outcome.scope) == ("613", 2.0, "inbox")
        await counter.shop.fault(throttled_minutes=3)
        assert (await counter.send(HELLO)).retry_after == 180
        await counter.shop.fault(throttled_minutes=0, too_many=0, restricted="4")
        assert (await counter.send(HELLO)).retry_after == 300

    async def test_a_busy_account_says_so(self, counter: Counter) -> None:
        await counter.shop.fault(usage=85)
        assert (await counter.send(HELLO)).load == 0.85


class TestComingBack:
    async def test_an_echo_of_ours_carries_our_id(self, counter: Counter) -> None:
        await counter.heard()
        message_id = new_id()
        outgoing = Outgoing(message_id, counter.shop.ada["id"], HELLO)
        outcome = await counter.channel.send(counter.inbox, outgoing)
        echo, delivered, up_to = await counter.heard()
        assert isinstance(echo, InboundEcho)
        assert (echo.external_id, echo.message_id, echo.by_app) == (
            outcome.external_id,
            str(message_id),
            True,
        )
        assert echo.content == HELLO
        assert isinstance(delivered, InboundStatus)
        assert (delivered.message_id, delivered.status) == (outcome.external_id, DeliveryStatus.DELIVERED)
        assert isinstance(up_to, InboundWatermark)
        assert up_to.before is not None

    async def test_an_uncertain_send_is_settled_by_its_echo(self, counter: Counter) -> None:
        await counter.heard()
        await counter.shop.fault(silent=1)
        message_id = new_id()
        outgoing = Outgoing(message_id, counter.shop.ada["id"], HELLO)
        assert (await counter.channel.send(counter.inbox, outgoing)).reaction is Reaction.UNKNOWN
        echo = (await counter.heard())[0]
        assert isinstance(echo, InboundEcho)
        assert echo.message_id == str(message_id)

    async def test_a_person_in_the_page_s_inbox_is_told_apart(self, counter: Counter) -> None:
        await counter.heard()
        await counter.shop.occur("human_echo", person=counter.shop.ada["id"], text="Anna here")
        await counter.shop.occur(
            "human_echo", person=counter.shop.ada["id"], text="Bot", app_id="263902037430900"
        )
        echoes = await counter.heard()
        assert [(echo.by_app, echo.author) for echo in echoes if isinstance(echo, InboundEcho)] == [
            (False, None),
            (False, "263902037430900"),
        ]

    async def test_reading_reaches_up_to_a_time(self, counter: Counter) -> None:
        await counter.send(HELLO)
        await counter.heard()
        await counter.shop.act("read")
        (read,) = await counter.heard()
        assert isinstance(read, InboundWatermark)
        assert read.status is DeliveryStatus.READ
        assert read.before is not None

    async def test_what_people_do_with_messages(self, counter: Counter) -> None:
        asked = (await counter.shop.bubbles())[-1]["id"]
        outcome = await counter.send(HELLO)
        await counter.heard()
        await counter.shop.act("react", bubble=outcome.external_id, emoji="😮")
        await counter.shop.act("react", bubble=outcome.external_id, emoji="")
        await counter.shop.act("edit", bubble=asked, text="Hello again")
        await counter.shop.act("unsend", bubble=asked)
        heard = await counter.heard()
        reactions = [one for one in heard if isinstance(one, InboundReaction)]
        assert [(one.external_id, one.emoji) for one in reactions] == [
            (outcome.external_id, "😮"),
            (outcome.external_id, ""),
        ]
        (edit,) = [one for one in heard if isinstance(one, InboundEdit)]
        assert (edit.external_id, edit.content) == (asked, TextContent(text="Hello again"))
        assert asked in {one.external_id for one in heard if isinstance(one, InboundUnsend)}

    async def test_a_link_opens_the_window_again(self, counter: Counter) -> None:
        await counter.heard()
        await counter.shop.act("follow", ref="table-7")
        (inbound,) = await counter.heard()
        assert isinstance(inbound, InboundReferral)
        assert (inbound.referral.ref, inbound.opens_window) == ("table-7", True)

    async def test_a_file_can_be_fetched(self, counter: Counter) -> None:
        await counter.heard()
        await counter.shop.act(
            "media", kind="image", content="iVBORw0KGgo=", mime_type="image/png", caption="Look"
        )
        (inbound,) = await counter.heard()
        assert isinstance(inbound, InboundMessage)
        assert inbound.content == MediaContent(kind="image", caption="Look")
        assert inbound.media is not None
        download = await counter.channel.download(counter.inbox, inbound.media)
        assert download.media_type == "image/png"
        assert b"".join([piece async for piece in download.content]) == b"\x89PNG\r\n\x1a\n"

    async def test_a_file_that_is_gone_stays_so(self, counter: Counter) -> None:
        url = f"{counter.shop.stage.url}/graph/files/gone"
        with pytest.raises(DownloadFailed) as gone:
            await counter.channel.download(counter.inbox, url)
        assert not gone.value.retryable
        with pytest.raises(DownloadFailed) as away:
            await counter.channel.download(counter.inbox, "http://127.0.0.1:9/x")
        assert away.value.retryable


class TestComments:
    async def test_a_comment_is_answered_privately_once(self, counter: Counter) -> None:
        await counter.heard()
        comment_id = await counter.shop.act("comment", text="How much?")
        (comment,) = await counter.heard()
        assert isinstance(comment, InboundMessage)
        assert isinstance(comment.content, StoryReferenceContent)
        assert (comment.external_id, comment.opens_window) == (comment_id, False)
        assert comment.person.identities == {"psid": counter.shop.ada["id"]}

        first = await counter.send(HELLO, reply_to=comment_id, reply_to_comment=True, window="closed")
        assert first.reaction is None
        assert (await counter.shop.bubbles())[-1]["id"] == first.external_id
        again = await counter.send(HELLO, reply_to=comment_id, reply_to_comment=True, window="closed")
        assert (again.reaction, again.code) == (Reaction.BAD_PAYLOAD, "10900")

    async def test_somebody_known_by_a_comment_alone_is_reached_by_it(self, counter: Counter) -> None:
        comment_id = await counter.shop.act("comment", text="How much?")
        assert (await counter.send(HELLO, to=f"comment:{comment_id}")).reaction is None

    async def test_somebody_known_by_a_website_alone_is_reached_by_that(self, counter: Counter) -> None:
        shop = counter.shop
        visitor = await shop.stage.person(shop.account, name="Ben", details={"user_ref": "visit-9"})
        await shop.stage.act(shop.account, visitor, "say", text="Hi")
        assert (await counter.send(HELLO, to="user_ref:visit-9")).reaction is None


class TestLeads:
    async def test_a_form_s_answers_are_fetched(self, counter: Counter) -> None:
        await counter.heard()
        await counter.shop.occur("leadgen", fields={"full_name": "Ada Byron", "email": "ada@example.com"})
        (lead,) = await counter.heard()
        assert isinstance(lead, InboundLead)
        assert lead.answers is None
        fetched = await counter.channel.fetch_lead(counter.inbox, lead)
        assert fetched.answers == {"full_name": "Ada Byron", "email": "ada@example.com"}
        assert (fetched.lead_id, fetched.form_id, fetched.at) == (lead.lead_id, lead.form_id, lead.at)

    async def test_what_cannot_be_had_is_told(self, counter: Counter) -> None:
        lead = InboundLead("123456")
        with pytest.raises(ProviderRefused):
            await counter.channel.fetch_lead(counter.inbox, lead)
        with pytest.raises(Unavailable):
            await counter.channel.fetch_lead(counter.with_settings(base_url="http://127.0.0.1:9"), lead)


class TestTemplates:
    async def test_a_template_is_made_sent_and_deleted(self, counter: Counter) -> None:
        body = {"type": "BODY", "text": "Your order {{1}} is ready at the counter."}
        draft = TemplateDraft("order_ready", "en_US", "utility", [body])
        made = await counter.channel.create_template(counter.inbox, draft)
        assert (made.name, made.status) == ("order_ready", "pending")
        await counter.shop.stage.settled()
        (listed,) = await counter.channel.list_templates(counter.inbox)
        assert (listed.name, listed.language, listed.status) == ("order_ready", "en_US", "approved")

        await counter.shop.change_ada(said_seconds_ago=30 * DAY)
        content = TemplateContent(name="order_ready", language="en_US", parameters={"1": "77"})
        outcome = await counter.send(content, window="closed", by_person=False)
        assert outcome.reaction is None
        assert (await counter.shop.bubbles())[-1]["text"] == "Your order 77 is ready at the counter."

        await counter.channel.delete_template(counter.inbox, "order_ready", "en_US")
        assert await counter.channel.list_templates(counter.inbox) == []

    async def test_what_meta_does_not_take_is_told_in_words(self, counter: Counter) -> None:
        draft = TemplateDraft("Order Ready", "en_US", "utility", [{"type": "BODY", "text": "x"}])
        with pytest.raises(ProviderRefused):
            await counter.channel.create_template(counter.inbox, draft)


class TestProfiles:
    async def test_somebody_who_wrote_has_a_name(self, counter: Counter) -> None:
        ada = counter.shop.ada["id"]
        assert await counter.channel.introduce(counter.inbox, ada) == Person(
            {"psid": ada}, name="Ada Byron", locale="en_US"
        )

    async def test_whom_meta_does_not_tell_of_stays_unnamed(self, counter: Counter) -> None:
        await counter.shop.change_ada(details={"no_profile": True})
        away = counter.with_settings(base_url="http://127.0.0.1:9")
        for inbox, address in (
            (counter.inbox, counter.shop.ada["id"]),
            (counter.inbox, "42"),
            (counter.inbox, "user_ref:visit-9"),
            (counter.inbox, "comment:1_2"),
            (away, counter.shop.ada["id"]),
        ):
            assert await counter.channel.introduce(inbox, address) is None


class TestCourtesies:
    async def test_typing_and_reading_are_shown(self, counter: Counter) -> None:
        ada = counter.shop.ada["id"]
        await counter.channel.show_typing(counter.inbox, ada, None)
        assert (await counter.shop.stage.phone(counter.shop.account, counter.shop.ada))["typing"]
        asked = (await counter.shop.bubbles())[-1]
        await counter.channel.mark_read(counter.inbox, ada, asked["id"])
        assert (await counter.shop.bubbles())[-1]["tick"] == "read"

    async def test_they_fail_in_silence(self, counter: Counter) -> None:
        await counter.channel.show_typing(counter.inbox, "42", None)
        away = counter.with_settings(base_url="http://127.0.0.1:9")
        await counter.channel.mark_read(away, counter.shop.ada["id"], "m_1")


class TestCredentials:
    async def test_a_token_refused_for_a_moment_is_kept(self, counter: Counter) -> None:
        assert counter.channel.renew_at(counter.inbox) is None
        assert await counter.channel.renew(counter.inbox) == counter.inbox.settings

    async def test_a_token_refused_twice_is_lost(self, counter: Counter) -> None:
        await counter.shop.occur("token_fault")
        with pytest.raises(CredentialsLost):
            await counter.channel.renew(counter.inbox)

    async def test_nobody_to_ask_is_no_loss(self, counter: Counter) -> None:
        with pytest.raises(Unavailable):
            await counter.channel.renew(counter.with_settings(base_url="http://127.0.0.1:9"))
