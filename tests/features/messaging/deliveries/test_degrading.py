"""What a channel cannot show becomes something it can, in one predictable way, and the message says so."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from chatwright.features.messaging.deliveries.degrading import NUMBERED, StoredFile, answer_to, degrade
from chatwright.kernel.errors import InvalidInput
from chatwright.ports.channel import Capabilities
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    ContactCardContent,
    Content,
    EmailContent,
    ListContent,
    ListRow,
    ListSection,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    ReplyContent,
    TemplateContent,
    TextContent,
)

CONTENT: TypeAdapter[Content] = TypeAdapter(Content)
PLAIN = Capabilities(contents=frozenset({"text"}), text_limit=200)
RICH = Capabilities(
    contents=frozenset({"text", "media", "buttons", "quick_replies", "list", "carousel"}),
    text_limit=200,
    caption_limit=20,
    buttons_limit=3,
    button_text_limit=50,
    label_limit=20,
    payload_bytes=30,
    quick_replies_limit=5,
    list_rows_limit=10,
    row_limit=24,
    cards_limit=2,
    files={"image": 1000, "file": 5000},
    media_types={"image": frozenset({"image/png"})},
)


def can(**changes: Any) -> Capabilities:
    return Capabilities(**{**{name: getattr(RICH, name) for name in RICH.__dataclass_fields__}, **changes})


def buttons(*labels: str) -> list[Button]:
    return [Button(label=label, payload=label.lower()) for label in labels]


class TestTexts:
    def test_what_fits_is_left_alone(self) -> None:
        content = TextContent(text="hello")
        out = degrade(content, PLAIN)
        assert (out.parts, out.words) == ([content], [])

    def test_a_long_text_becomes_several(self) -> None:
        out = degrade(TextContent(text="word " * 100), PLAIN)
        assert len(out.parts) == 3
        assert out.words == ["The text became 3 messages."]


class TestChoices:
    def test_buttons_that_fit_are_left_but_name_their_answer(self) -> None:
        out = degrade(ButtonsContent(text="Which?", buttons=[Button(label="One"), Button(label="Two")]), RICH)
        assert out.words == []
        assert out.parts == [
            ButtonsContent(
                text="Which?",
                buttons=[Button(label="One", payload="One"), Button(label="Two", payload="Two")],
            )
        ]

    def test_buttons_become_numbers_where_there_is_only_text(self) -> None:
        out = degrade(ButtonsContent(text="Which?", buttons=buttons("One", "Two")), PLAIN)
        assert out.parts == [TextContent(text="Which?\n1. One\n2. Two")]
        assert out.words == [NUMBERED]

    def test_more_buttons_than_allowed_become_quick_replies_a_list_or_numbers(self) -> None:
        many = ButtonsContent(text="Which?", buttons=buttons("A", "B", "C", "D"))
        assert isinstance(degrade(many, RICH).parts[0], QuickRepliesContent)
        (found,) = degrade(many, can(quick_replies_limit=0)).parts
        assert isinstance(found, ListContent)
        assert [row.payload for row in found.sections[0].rows] == ["a", "b", "c", "d"]
        assert degrade(many, can(quick_replies_limit=0, list_rows_limit=3)).words == [NUMBERED]

    def test_thirteen_quick_replies_fit_into_a_list_of_two_sections(self) -> None:
        many = QuickRepliesContent(text="Which?", replies=buttons(*(f"N{n}" for n in range(13))))
        (found,) = degrade(many, can(list_rows_limit=20)).parts
        assert isinstance(found, ListContent)
        assert [len(section.rows) for section in found.sections] == [10, 3]

    def test_quick_replies_become_buttons(self) -> None:
        out = degrade(
            QuickRepliesContent(text="Which?", replies=buttons("A", "B")), can(quick_replies_limit=0)
        )
        assert isinstance(out.parts[0], ButtonsContent)
        assert out.words == ["The quick replies became buttons."]

    def test_a_list_becomes_buttons_or_numbers_with_its_descriptions(self) -> None:
        rows = [ListRow(title="Red", description="like wine"), ListRow(title="Blue")]
        menu = ListContent(text="Which?", button="Choose", sections=[ListSection(rows=rows)])
        assert isinstance(degrade(menu, can(list_rows_limit=0)).parts[0], ButtonsContent)
        assert degrade(menu, PLAIN).parts == [TextContent(text="Which?\n1. Red: like wine\n2. Blue")]

    def test_long_labels_are_cut_and_still_answer_with_the_whole(self) -> None:
        (found,) = degrade(
            ButtonsContent(text="Which?", buttons=[Button(label="Tell me all about it now")]), RICH
        ).parts
        assert isinstance(found, ButtonsContent)
        assert found.buttons == [Button(label="Tell me all about i…", payload="Tell me all about it now")]

    def test_a_long_text_goes_ahead_of_its_buttons(self) -> None:
        out = degrade(ButtonsContent(text="word " * 20, buttons=buttons("A")), RICH)
        assert [part.type for part in out.parts] == ["text", "buttons"]
        assert "The text goes ahead of its buttons." in out.words

    def test_links_go_into_the_text_where_they_are_no_buttons(self) -> None:
        both = ButtonsContent(
            text="Look", buttons=[Button(label="Shop", url="https://shop.example"), *buttons("Later")]
        )
        out = degrade(both, can(link_buttons=False))
        assert out.parts == [
            ButtonsContent(text="Look\nShop: https://shop.example", buttons=buttons("Later"))
        ]
        lone = ButtonsContent(text="Look", buttons=[Button(label="Shop", url="https://shop.example")])
        assert degrade(lone, can(link_buttons=False)).parts == [lone]

    def test_an_answer_that_is_too_long_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="30 bytes"):
            degrade(ButtonsContent(text="?", buttons=[Button(label="A", payload="ü" * 16)]), RICH)

    def test_a_button_that_answers_with_its_own_words_may_have_long_ones(self) -> None:
        content = ButtonsContent(text="?", buttons=[Button(label="Cà phê sữa đá ấm")])
        assert degrade(content, can(payload_bytes=20)).parts == [content]


class TestMedia:
    def test_a_caption_follows_where_its_kind_takes_none(self) -> None:
        file = MediaContent(kind="file", url="https://files.example/a.pdf", caption="The bill")
        out = degrade(file, can(uncaptioned=frozenset({"file"})))
        assert out.parts == [file.model_copy(update={"caption": None}), TextContent(text="The bill")]
        picture = MediaContent(kind="image", url="https://files.example/a.png", caption="The cup")
        assert degrade(picture, can(uncaptioned=frozenset({"file"}))).parts == [picture]

    def test_a_long_caption_follows(self) -> None:
        image = MediaContent(kind="image", url="https://files.example/a.png", caption="c" * 30)
        out = degrade(image, RICH)
        assert out.parts == [image.model_copy(update={"caption": None}), TextContent(text="c" * 30)]
        assert out.words == ["The caption follows as a message of its own."]

    @pytest.mark.parametrize(
        "file",
        [StoredFile("image/webp", 10, "https://here/1"), StoredFile("image/png", 1001, "https://here/1")],
    )
    def test_a_picture_of_the_wrong_kind_or_size_goes_as_a_file(self, file: StoredFile) -> None:
        out = degrade(MediaContent(kind="image", filename="a"), RICH, file)
        assert [getattr(part, "kind", None) for part in out.parts] == ["file"]
        assert out.words == ["The image is sent as a file."]

    def test_what_is_too_large_for_anything_becomes_a_link(self) -> None:
        file = StoredFile("video/mp4", 6000, "https://here.example/files/token")
        out = degrade(MediaContent(kind="video", filename="film.mp4", caption="Look"), RICH, file)
        assert out.parts == [TextContent(text="Look\nfilm.mp4: https://here.example/files/token")]
        assert out.words == ["The video became a link."]

    def test_without_an_address_it_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="takes no video"):
            degrade(MediaContent(kind="video"), PLAIN)


class TestOthers:
    def test_cards_become_messages(self) -> None:
        cards = [
            Card(
                title="Shoe", subtitle="red", image_url="https://files.example/s.png", buttons=buttons("Buy")
            ),
            Card(title="Hat"),
        ]
        out = degrade(CarouselContent(cards=cards), can(cards_limit=0))
        assert [part.type for part in out.parts] == ["media", "buttons", "text"]
        assert "The cards became messages." in out.words

    def test_too_many_cards_become_several_carousels(self) -> None:
        out = degrade(CarouselContent(cards=[Card(title=str(n)) for n in range(5)]), RICH)
        assert [part.type for part in out.parts] == ["carousel"] * 3

    def test_a_place_and_a_contact_become_words(self) -> None:
        place = degrade(LocationContent(latitude=10.5, longitude=106.7, name="Office"), PLAIN)
        assert "Office" in place.parts[0].model_dump()["text"]
        assert "mlat=10.5" in place.parts[0].model_dump()["text"]
        card = degrade(ContactCardContent(name="Ann", phones=["+84901234567"]), PLAIN)
        assert card.parts == [TextContent(text="Ann\n+84901234567")]
        assert card.words == ["The contact card became text."]

    def test_a_mail_becomes_its_words(self) -> None:
        out = degrade(EmailContent(subject="Offer", text="Dear Ann", html="<b>Dear Ann</b>"), PLAIN)
        assert out.parts == [TextContent(text="Offer\n\nDear Ann")]

    @pytest.mark.parametrize(
        "content",
        [TemplateContent(name="hello", language="en"), ReactionContent(message_id="m1", emoji="x")],
        ids=lambda content: content.type,
    )
    def test_what_words_cannot_stand_for_is_refused(self, content: Content) -> None:
        with pytest.raises(InvalidInput, match="has no"):
            degrade(content, PLAIN)

    def test_whatever_comes_out_is_content_again(self) -> None:
        for content in (
            ButtonsContent(text="x" * 500, buttons=buttons(*"ABCDEFGHIJ")),
            CarouselContent(cards=[Card(title="T", buttons=buttons("A"))]),
        ):
            for part in degrade(content, PLAIN).parts:
                assert CONTENT.validate_python(part.model_dump()) == part


class TestAnswers:
    ASKED = ButtonsContent(
        text="Which?", buttons=[Button(label="Shop", url="https://shop.example"), *buttons("Red", "Blue")]
    )

    @pytest.mark.parametrize("text", ["2", " 2. ", "2)", "blue", "BLUE "])
    def test_a_number_or_the_words_choose(self, text: str) -> None:
        assert answer_to(self.ASKED, text) == ReplyContent(text="Blue", payload="blue")

    @pytest.mark.parametrize("text", ["3", "0", "two", "", "12 apples", "99999999"])
    def test_anything_else_does_not(self, text: str) -> None:
        assert answer_to(self.ASKED, text) is None
