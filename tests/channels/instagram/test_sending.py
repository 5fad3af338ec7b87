"""What goes out to Instagram and what comes back, through the sandbox's accounts with either login."""

import pytest

from chatwright.kernel.ids import new_id
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    Content,
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
    InboundMessage,
    InboundReaction,
    InboundReferral,
    InboundUnsend,
    InboundWatermark,
    Person,
)
from chatwright.ports.sending import Outgoing, Reaction
from tests.channels.instagram.conftest import PNG, Gallery, a_file

HELLO = TextContent(text="Ja, Hafer und Soja 🥛")
DAY = 86_400


class TestContents:
    async def test_text(self, gallery: Gallery) -> None:
        outcome = await gallery.send(HELLO)
        bubble = (await gallery.shop.bubbles())[-1]
        assert (bubble["id"], bubble["text"]) == (outcome.external_id, HELLO.text)

    async def test_the_longest_text_is_taken(self, gallery: Gallery) -> None:
        assert (await gallery.send(TextContent(text="é" * 500))).reaction is None
        assert (await gallery.send(TextContent(text="é" * 501))).reaction is Reaction.BAD_PAYLOAD
        assert gallery.channel.capabilities.text_bytes == 1000

    async def test_a_page_s_file_is_uploaded(self, paged_gallery: Gallery) -> None:
        outcome = await paged_gallery.send(MediaContent(kind="image", attachment_id=new_id()), file=a_file())
        assert outcome.reaction is None
        assert (await paged_gallery.shop.bubbles())[-1]["media"][0]["content"] == len(PNG)

    async def test_without_a_page_meta_fetches_the_file_from_us(self, own_gallery: Gallery) -> None:
        await own_gallery.shop.act("media", kind="image", content="iVBORw0KGgo=", mime_type="image/png")
        inbound = (await own_gallery.heard())[-1]
        assert isinstance(inbound, InboundMessage)
        file = a_file(url=inbound.media or "")
        outcome = await own_gallery.send(MediaContent(kind="image", attachment_id=new_id()), file=file)
        assert outcome.reaction is None
        (media,) = (await own_gallery.shop.bubbles())[-1]["media"]
        assert (media["url"], media["mime_type"], media["content"]) == (inbound.media, "image/png", 8)

    async def test_a_file_that_meta_cannot_fetch_is_tried_again(self, own_gallery: Gallery) -> None:
        file = a_file(url=f"{own_gallery.shop.stage.url}/graph/files/gone")
        outcome = await own_gallery.send(MediaContent(kind="image", attachment_id=new_id()), file=file)
        assert (outcome.reaction, outcome.code) == (Reaction.RETRY, "100/2018008")

    async def test_everything_that_capabilities_allow_is_taken(self, gallery: Gallery) -> None:
        capabilities = gallery.channel.capabilities
        label = "l" * capabilities.label_limit
        text = "t" * capabilities.button_text_limit
        buttons = [Button(label=label, payload="p" * capabilities.payload_bytes)]
        full: list[Content] = [
            ButtonsContent(text=text, buttons=buttons * capabilities.buttons_limit),
            QuickRepliesContent(text=text, replies=buttons * capabilities.quick_replies_limit),
            CarouselContent(cards=[Card(title="c" * 80, buttons=buttons * 3)] * capabilities.cards_limit),
        ]
        for content in full:
            assert (await gallery.send(content)).reaction is None

    async def test_buttons_and_quick_replies_come_back(self, gallery: Gallery) -> None:
        replies = [Button(label="Oat", payload="OAT")]
        for content in (
            ButtonsContent(text="Milk?", buttons=replies),
            QuickRepliesContent(text="Milk?", replies=replies),
        ):
            await gallery.send(content)
            bubble = (await gallery.shop.bubbles())[-1]
            await gallery.heard()
            await gallery.shop.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
            (inbound,) = await gallery.heard()
            assert isinstance(inbound, InboundMessage)
            assert inbound.content == ReplyContent(text="Oat", payload="OAT")

    async def test_an_answer_quotes_what_it_answers(self, gallery: Gallery) -> None:
        asked = (await gallery.shop.bubbles())[-1]["id"]
        await gallery.send(HELLO, reply_to=asked)
        assert (await gallery.shop.bubbles())[-1]["reply_to"] == asked

    async def test_a_heart_comes_and_goes_and_nothing_else(self, gallery: Gallery) -> None:
        asked = (await gallery.shop.bubbles())[-1]["id"]
        assert (await gallery.send(ReactionContent(message_id=asked, emoji="❤️"))).reaction is None
        assert (await gallery.shop.bubbles())[-1]["reactions"] == {"account": "love"}
        assert (await gallery.send(ReactionContent(message_id=asked, emoji=""))).reaction is None
        assert (await gallery.shop.bubbles())[-1]["reactions"] == {}
        other = await gallery.send(ReactionContent(message_id=asked, emoji="🎉"))
        assert other.reaction is Reaction.BAD_PAYLOAD

    async def test_there_are_no_templates(self, gallery: Gallery) -> None:
        content = TemplateContent(name="order_ready", language="en_US")
        assert (await gallery.send(content, window="closed")).reaction is Reaction.BAD_PAYLOAD
        assert "template" not in gallery.channel.capabilities.contents


class TestWindows:
    async def test_a_person_may_answer_for_a_week_and_a_bot_for_a_day(self, gallery: Gallery) -> None:
        await gallery.shop.change_ada(said_seconds_ago=2 * DAY)
        closed = await gallery.send(HELLO)
        assert (closed.reaction, closed.code) == (Reaction.WINDOW_CLOSED, "10/2534022")
        assert (await gallery.send(HELLO, window="human", by_person=False)).reaction is Reaction.WINDOW_CLOSED
        assert (await gallery.send(HELLO, window="human")).reaction is None


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "reaction"),
        [
            ("551/1545041", Reaction.UNREACHABLE),
            ("613", Reaction.RETRY_AFTER),
            ("368", Reaction.PAUSE_CHANNEL),
            ("190/463", Reaction.RECONNECT),
            ("190", Reaction.REFRESH_TOKEN),
        ],
    )
    async def test_a_refusal(self, gallery: Gallery, fault: str, reaction: Reaction) -> None:
        await gallery.shop.fault(restricted=fault)
        outcome = await gallery.send(HELLO)
        assert (outcome.reaction, outcome.code) == (reaction, fault)
        assert gallery.shop.token not in repr(outcome)

    async def test_an_answer_that_never_comes_leaves_it_open(self, gallery: Gallery) -> None:
        await gallery.shop.fault(silent=1)
        assert (await gallery.send(HELLO)).reaction is Reaction.UNKNOWN

    async def test_a_server_that_is_not_there_took_nothing(self, gallery: Gallery) -> None:
        inbox = gallery.with_settings(base_url="http://127.0.0.1:9")
        outgoing = Outgoing(new_id(), gallery.shop.ada["id"], HELLO)
        assert (await gallery.channel.send(inbox, outgoing)).reaction is Reaction.RETRY


class TestComingBack:
    async def test_an_echo_of_ours_is_known_by_the_app(self, gallery: Gallery) -> None:
        await gallery.heard()
        outcome = await gallery.send(HELLO)
        (echo,) = await gallery.heard()
        assert isinstance(echo, InboundEcho)
        assert (echo.external_id, echo.by_app) == (outcome.external_id, True)

    async def test_a_person_in_instagram_is_told_apart(self, gallery: Gallery) -> None:
        await gallery.heard()
        await gallery.shop.occur("human_echo", person=gallery.shop.ada["id"], text="Anna here")
        (echo,) = await gallery.heard()
        assert isinstance(echo, InboundEcho)
        assert (echo.by_app, echo.content) == (False, TextContent(text="Anna here"))

    async def test_reading_reaches_up_to_a_message(self, gallery: Gallery) -> None:
        outcome = await gallery.send(HELLO)
        await gallery.heard()
        await gallery.shop.act("read")
        (read,) = await gallery.heard()
        assert isinstance(read, InboundWatermark)
        assert (read.status, read.up_to) == (DeliveryStatus.READ, outcome.external_id)

    async def test_what_people_do_with_messages(self, gallery: Gallery) -> None:
        asked = (await gallery.shop.bubbles())[-1]["id"]
        outcome = await gallery.send(HELLO)
        await gallery.heard()
        await gallery.shop.act("react", bubble=outcome.external_id, emoji="❤️")
        await gallery.shop.act("edit", bubble=asked, text="Hello again")
        await gallery.shop.act("unsend", bubble=asked)
        heard = await gallery.heard()
        (reaction,) = [one for one in heard if isinstance(one, InboundReaction)]
        assert (reaction.external_id, reaction.emoji) == (outcome.external_id, "❤️")
        (edit,) = [one for one in heard if isinstance(one, InboundEdit)]
        assert (edit.external_id, edit.content) == (asked, TextContent(text="Hello again"))
        assert asked in {one.external_id for one in heard if isinstance(one, InboundUnsend)}

    async def test_a_link_opens_the_window_again(self, gallery: Gallery) -> None:
        await gallery.heard()
        await gallery.shop.act("follow", ref="bio")
        (inbound,) = await gallery.heard()
        assert isinstance(inbound, InboundReferral)
        assert (inbound.referral.ref, inbound.opens_window) == ("bio", True)

    async def test_a_file_can_be_fetched(self, gallery: Gallery) -> None:
        await gallery.heard()
        await gallery.shop.act("media", kind="audio", content="AAAA", mime_type="audio/mp4")
        (inbound,) = await gallery.heard()
        assert isinstance(inbound, InboundMessage)
        download = await gallery.channel.download(gallery.inbox, inbound.media or "")
        assert download.media_type == "audio/mp4"
        assert b"".join([piece async for piece in download.content]) == bytes(3)


class TestComments:
    @pytest.mark.parametrize("live", [False, True])
    async def test_a_comment_is_answered_privately_once(self, gallery: Gallery, *, live: bool) -> None:
        await gallery.heard()
        comment_id = await gallery.shop.act("comment", text="How much?", details={"live": live})
        (comment,) = await gallery.heard()
        assert isinstance(comment, InboundMessage)
        assert isinstance(comment.content, StoryReferenceContent)
        assert (comment.external_id, comment.opens_window) == (comment_id, False)
        assert comment.person.identities == {"igsid": gallery.shop.ada["id"]}

        first = await gallery.send(HELLO, reply_to=comment_id, reply_to_comment=True, window="closed")
        assert first.reaction is None
        assert (await gallery.shop.bubbles())[-1]["id"] == first.external_id
        again = await gallery.send(HELLO, reply_to=comment_id, reply_to_comment=True, window="closed")
        assert (again.reaction, again.code) == (Reaction.BAD_PAYLOAD, "10900")


class TestProfiles:
    async def test_somebody_who_wrote_has_a_name(self, gallery: Gallery) -> None:
        ada = gallery.shop.ada["id"]
        assert await gallery.channel.introduce(gallery.inbox, ada) == Person(
            {"igsid": ada}, name="Ada Byron", username="ada.byron"
        )

    async def test_whom_meta_does_not_tell_of_stays_unnamed(self, gallery: Gallery) -> None:
        await gallery.shop.change_ada(details={"no_profile": True})
        away = gallery.with_settings(base_url="http://127.0.0.1:9")
        for inbox, address in (
            (gallery.inbox, gallery.shop.ada["id"]),
            (gallery.inbox, "42"),
            (gallery.inbox, "user_ref:visit-9"),
            (gallery.inbox, "comment:1_2"),
            (away, gallery.shop.ada["id"]),
        ):
            assert await gallery.channel.introduce(inbox, address) is None


class TestCourtesies:
    async def test_typing_and_reading_are_shown(self, gallery: Gallery) -> None:
        ada = gallery.shop.ada["id"]
        await gallery.channel.show_typing(gallery.inbox, ada, None)
        assert (await gallery.shop.stage.phone(gallery.shop.account, gallery.shop.ada))["typing"]
        asked = (await gallery.shop.bubbles())[-1]
        await gallery.channel.mark_read(gallery.inbox, ada, asked["id"])
        assert (await gallery.shop.bubbles())[-1]["tick"] == "read"

    async def test_they_fail_in_silence(self, gallery: Gallery) -> None:
        await gallery.channel.show_typing(gallery.inbox, "42", None)
        await gallery.channel.mark_read(
            gallery.with_settings(base_url="http://127.0.0.1:9"), gallery.shop.ada["id"], "aWdf1"
        )
