"""The sandbox's WhatsApp as pywa sees it, which nobody here wrote: both ways."""

# pywa re-exports its types without saying so, and types its parameters only in part.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from pywa import errors
from pywa_async import WhatsApp, types
from pywa_async.types import templates
from starlette.applications import Starlette

from chatwright.sandbox.graph.provider import Graph
from tests.sandbox.running import Stage, staged
from tests.serving import serving

LISTENERS = (
    "on_message",
    "on_outgoing_message",
    "on_callback_button",
    "on_callback_selection",
    "on_message_status",
    "on_edited_message",
    "on_deleted_message",
    "on_template_status_update",
    "on_user_marketing_preferences",
    "on_phone_number_change",
    "on_identity_change",
)


@dataclass
class Business:
    """A number that pywa runs, and Ada, who knows it."""

    stage: Stage
    account: dict[str, Any]
    ada: dict[str, Any]
    wa: WhatsApp
    heard: list[Any] = field(default_factory=list[Any])

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.account, self.ada, type_, **action)

    async def last_bubble(self) -> dict[str, Any]:
        await self.stage.settled()
        return (await self.stage.phone(self.account, self.ada))["bubbles"][-1]

    async def news(self, kind: type) -> list[Any]:
        """What pywa understood so far to be of a kind."""
        await self.stage.settled()
        # pywa answers first and handles in a task of its own.
        for _ in range(200):
            if found := [one for one in self.heard if isinstance(one, kind)]:
                return found
            await asyncio.sleep(0.01)
        pytest.fail(f"pywa heard no {kind.__name__}, but {self.heard}")


@pytest_asyncio.fixture(loop_scope="session")
async def business() -> AsyncGenerator[Business]:
    server: Any = Starlette()
    async with staged([Graph]) as stage, serving(server) as url:
        account = await stage.account(
            "whatsapp", id="106540352242922", name="Acorn", details={"waba_id": "102290129340398"}
        )
        wa = WhatsApp(
            phone_id=account["id"],
            token=account["secrets"]["access_token"],
            waba_id=account["details"]["waba_id"],
            server=server,
            verify_token="a-token",
            app_secret=account["secrets"]["app_secret"],
        )
        # It sets its own base URL, whatever session it is given.
        session = wa.api._session  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        session.base_url = f"{stage.url}/graph/v25.0"
        business = Business(stage, account, await stage.person(account, name="Ada Byron"), wa)

        async def hear(_: WhatsApp, update: Any) -> None:
            business.heard.append(update)

        for name in LISTENERS:
            getattr(wa, name)()(hear)
        await wa.override_waba_callback_url(url, verify_token="a-token")
        yield business
        await session.aclose()


async def test_pywa_sends_text_and_hears_what_becomes_of_it(business: Business) -> None:
    await business.act("say", text="Good morning")
    sent = await business.wa.send_message(business.ada["id"], "Zwölf Äpfel / 12 🍏", tracker="m-1")
    bubble = await business.last_bubble()
    assert (bubble["id"], bubble["text"], bubble["tick"]) == (sent.id, "Zwölf Äpfel / 12 🍏", "delivered")
    await business.act("read")
    statuses = await business.news(types.MessageStatus)
    assert {(one.id, one.tracker) for one in statuses} == {(sent.id, "m-1")}
    assert {one.status for one in statuses} <= {"sent", "delivered", "read"}
    priced = next(one.pricing for one in statuses if one.pricing is not None)
    assert (priced.category, priced.billable) == ("service", False)


async def test_pywa_reads_what_people_write(business: Business) -> None:
    await business.act("say", text='Grüße "mit" / Schrägstrich 😀')
    [message] = await business.news(types.Message)
    assert message.text == 'Grüße "mit" / Schrägstrich 😀'
    assert message.from_user.name == "Ada Byron"
    assert message.from_user.wa_id == business.ada["id"]
    assert message.from_user.bsuid == business.ada["details"]["user_id"]
    answer = await message.reply_text("Thanks", quote=True)
    bubble = await business.last_bubble()
    assert (bubble["id"], bubble["reply_to"]) == (answer.id, message.id)


async def test_pywa_gets_buttons_and_rows_pressed(business: Business) -> None:
    await business.act("say", text="Hi")
    await business.wa.send_message(
        business.ada["id"],
        "Which one?",
        header="Fruit",
        footer="Free of charge",
        buttons=[types.Button("Apple", "a"), types.Button("Pear", "p")],
    )
    bubble = await business.last_bubble()
    assert (bubble["header"], bubble["footer"]) == ("Fruit", "Free of charge")
    await business.act("press", bubble=bubble["id"], button=bubble["buttons"][1]["id"])
    [pressed] = await business.news(types.CallbackButton)
    assert (pressed.data, pressed.title) == ("p", "Pear")
    await business.wa.send_message(
        business.ada["id"],
        "And which of these?",
        buttons=types.SectionList(
            "Open",
            [types.Section("Red", [types.SectionRow("Cherry", "c", "sour"), types.SectionRow("Plum", "l")])],
        ),
    )
    bubble = await business.last_bubble()
    await business.act("press", bubble=bubble["id"], button=bubble["buttons"][0]["id"])
    [selected] = await business.news(types.CallbackSelection)
    assert (selected.data, selected.title, selected.description) == ("c", "Cherry", "sour")


async def test_pywa_is_refused_as_by_whatsapp(business: Business) -> None:
    await business.act("say", text="Hi")
    many = [types.Button(f"Title {number}", str(number)) for number in range(4)]
    with pytest.raises(errors.InvalidParameter, match="Max allowed buttons: 3"):
        await business.wa.send_message(business.ada["id"], "Choose", buttons=many)
    with pytest.raises(errors.InvalidParameter, match="20 characters"):
        await business.wa.send_message(business.ada["id"], "Choose", buttons=[types.Button("x" * 21, "1")])
    with pytest.raises(errors.TemplateNotExists):
        await business.wa.send_template(business.ada["id"], "nothing", templates.TemplateLanguage.ENGLISH_US)
    await business.stage.fault(business.account, too_many=1)
    with pytest.raises(errors.RateLimitHit):
        await business.wa.send_message(business.ada["id"], "Too fast")


async def test_pywa_hears_of_late_failures(business: Business) -> None:
    sent = await business.wa.send_message(business.ada["id"], "Nobody asked")
    [status] = await business.news(types.MessageStatus)
    assert status.id == sent.id
    assert isinstance(status.error, errors.ReEngagementMessage)


async def test_pywa_makes_and_sends_templates(business: Business) -> None:
    body = templates.BodyText("Hello {{name}}, your order {{number}} is on its way.", name="Ada", number="12")
    created = await business.wa.create_template(
        templates.Template(
            name="order_sent",
            category=templates.TemplateCategory.UTILITY,
            language=templates.TemplateLanguage.ENGLISH_US,
            parameter_format=templates.ParamFormat.NAMED,
            components=[
                templates.HeaderText("Your order"),
                body,
                templates.Buttons(buttons=[templates.QuickReplyButton(text="Stop")]),
            ],
        )
    )
    assert created.status == templates.TemplateStatus.PENDING
    [news] = await business.news(templates.TemplateStatusUpdate)
    assert (news.template_id, news.new_status) == (created.id, templates.TemplateStatus.APPROVED)
    assert [one.name async for one in _each(await business.wa.get_templates())] == ["order_sent"]
    sent = await business.wa.send_template(
        business.ada["id"],
        "order_sent",
        templates.TemplateLanguage.ENGLISH_US,
        [
            body.params(name="Ada", number="77"),
            templates.QuickReplyButton.params(callback_data="out", index=0),
        ],
    )
    bubble = await business.last_bubble()
    assert (bubble["id"], bubble["text"]) == (sent.id, "Hello Ada, your order 77 is on its way.")
    await business.act("press", bubble=sent.id, button="0")
    [pressed] = await business.news(types.CallbackButton)
    assert (pressed.data, pressed.title) == ("out", "Stop")
    with pytest.raises(errors.TemplateParamCountMismatch):
        await business.wa.send_template(
            business.ada["id"], "order_sent", templates.TemplateLanguage.ENGLISH_US, []
        )


async def _each(found: Any) -> AsyncGenerator[Any]:
    for one in found:
        yield one


async def test_pywa_moves_files_both_ways(business: Business) -> None:
    await business.act(
        "media",
        kind="document",
        content="JVBERi0xLjQ=",
        mime_type="application/pdf",
        filename="offer.pdf",
        caption="See",
    )
    [message] = await business.news(types.Message)
    assert (message.document.filename, message.caption) == ("offer.pdf", "See")
    assert await message.get_media_bytes() == b"%PDF-1.4"
    assert (await business.wa.get_media_url(message.document.id)).file_size == 8
    await business.wa.send_image(business.ada["id"], b"\x89PNG", mime_type="image/png", caption="Look")
    bubble = await business.last_bubble()
    assert (bubble["kind"], bubble["text"], bubble["media"][0]["content"]) == ("image", "Look", 4)


async def test_pywa_reacts_and_marks_read(business: Business) -> None:
    await business.act("say", text="Hi")
    [message] = await business.news(types.Message)
    await message.react("👍")
    await message.mark_as_read()
    bubble = await business.last_bubble()
    assert (bubble["reactions"], bubble["tick"]) == ({"account": "👍"}, "read")
    await message.indicate_typing()
    assert (await business.stage.phone(business.account, business.ada))["typing"]
    sent = await business.wa.send_message(business.ada["id"], "Hello")
    await business.stage.settled()
    await business.act("react", bubble=sent.id, emoji="❤️")
    reaction = (await business.news(types.Message))[-1].reaction
    assert (reaction.message_id, reaction.emoji) == (sent.id, "❤️")


async def test_pywa_hears_edits_and_unsends(business: Business) -> None:
    said = await business.act("say", text="Helo")
    await business.act("edit", bubble=said, text="Hello")
    [edited] = await business.news(types.EditedMessage)
    assert (edited.original_message_id, edited.message.text) == (said, "Hello")
    await business.act("unsend", bubble=said)
    [deleted] = await business.news(types.DeletedMessage)
    assert deleted.original_message_id == said


async def test_pywa_meets_people_without_a_phone_number(business: Business) -> None:
    await business.act("happen", name="hide_phone", values={"username": "@ada"})
    await business.act("say", text="Hi")
    [message] = await business.news(types.Message)
    assert (message.from_user.wa_id, message.from_user.username) == (None, "@ada")
    sent = await message.reply_text("Hello")
    assert (await business.last_bubble())["id"] == sent.id
    status = (await business.news(types.MessageStatus))[0]
    assert status.from_user.bsuid == business.ada["details"]["user_id"]


async def test_pywa_reads_places_and_cards(business: Business) -> None:
    await business.act("location", latitude=52.5, longitude=13.4, name="Office")
    [message] = await business.news(types.Message)
    assert (message.location.latitude, message.location.name) == (52.5, "Office")
    await business.act("contact", name="Grace Hopper", phone="+15550009999")
    card = (await business.news(types.Message))[-1].contacts[0]
    assert (card.name.formatted_name, card.phones[0].phone) == ("Grace Hopper", "+15550009999")
    await business.wa.send_location(business.ada["id"], 48.1, 11.5, name="Shop", address="1 Main Street")
    assert (await business.last_bubble())["text"] == "Shop, 1 Main Street"


async def test_pywa_hears_what_people_at_the_business_write(business: Business) -> None:
    await business.stage.occur(
        business.account, "smb_message_echoes", person=business.ada["id"], text="By hand"
    )
    [echo] = await business.news(types.OutgoingMessage)
    assert echo.text == "By hand"


async def test_pywa_hears_who_moved_and_who_wants_no_more_offers(business: Business) -> None:
    await business.act("say", text="Hi")
    await business.act("happen", name="user_preferences", values={"value": "stop"})
    [preference] = await business.news(types.UserMarketingPreferences)
    assert (preference.value, preference.from_user.wa_id) == ("stop", business.ada["id"])
    await business.act("happen", name="user_changed_number", values={"wa_id": "15557654321"})
    [change] = await business.news(types.PhoneNumberChange)
    assert (change.old_wa_id, change.new_wa_id) == (business.ada["id"], "15557654321")


async def test_pywa_takes_no_webhook_signed_with_another_secret(business: Business) -> None:
    await business.stage.fault(business.account, wrong_signature=True)
    await business.stage.control("POST", "/clock", waits=10**9)
    await business.act("say", text="Hi")
    hooks = await business.stage.control("GET", f"/accounts/whatsapp/{business.account['id']}/hooks")
    await business.stage.settled()
    hooks = await business.stage.control("GET", f"/accounts/whatsapp/{business.account['id']}/hooks")
    assert hooks[-1]["state"] == "given_up"
    assert {attempt["status"] for attempt in hooks[-1]["attempts"]} == {403}
    assert business.heard == []
