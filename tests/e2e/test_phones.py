"""The sandbox's phones in a real browser: chatting as somebody, and seeing what the account's side did."""

import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from chatwright.app.sandbox import open_sandbox
from tests.sandbox.running import Ear, listening
from tests.serving import serving

TOKEN = "7000000004:AAdemo-telegram-token-of-the-sandbox"
BOT, ADA = "7000000004", "500000001"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060"
    "0000000500017a5eab3f0000000049454e44ae426082"
)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        chromium = os.environ.get("CHATWRIGHT_CHROMIUM", "chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@dataclass(frozen=True)
class Phones:
    """The page, and the account's side of it."""

    page: Page
    http: httpx2.AsyncClient

    async def show(self, kind: str, account: str, person: str) -> None:
        await self.page.goto(f"{self.http.base_url}#{kind}/{account}/{person}")
        await expect(self.page.get_by_label("Account", exact=True)).to_have_value(f"{kind}/{account}")
        await expect(self.page.get_by_label("Person", exact=True)).to_have_value(person)

    async def say(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_role("button", name="Send").click()

    def bubble(self, text: str) -> Locator:
        return self.page.get_by_role("log", name="Chat").get_by_role("article").filter(has_text=text)

    async def bot(self, method: str, **parameters: Any) -> Any:
        answer = await self.http.post(f"/telegram/bot{TOKEN}/{method}", json={"chat_id": ADA, **parameters})
        assert answer.is_success, answer.text
        return answer.json()["result"]

    async def updates(self) -> list[dict[str, Any]]:
        found = await self.bot("getUpdates", allowed_updates=["message", "edited_message", "callback_query"])
        await self.bot("getUpdates", offset=-1)
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def phones(browser: Browser) -> AsyncGenerator[Phones]:
    async with (
        serving(open_sandbox("http://127.0.0.1:8800").app) as url,
        httpx2.AsyncClient(base_url=url) as http,
    ):
        page = await browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield Phones(page, http)
        await page.close()
        assert not errors


async def test_a_chat_goes_both_ways(phones: Phones) -> None:
    await phones.show("telegram", BOT, ADA)
    await phones.say("Do you have oat milk?")
    await expect(phones.bubble("Do you have oat milk?")).to_have_class("bubble person")
    (update,) = await phones.updates()
    assert update["message"]["text"] == "Do you have oat milk?"
    await phones.bot("sendChatAction", action="typing")
    await expect(phones.page.get_by_text("typing…")).to_be_visible()
    buttons = {"inline_keyboard": [[{"text": "Latte", "callback_data": "latte"}]]}
    await phones.bot("sendMessage", text="We do. Which drink?", reply_markup=buttons)
    await expect(phones.page.get_by_text("typing…")).to_be_hidden()
    answer = phones.bubble("Which drink?")
    await expect(answer.get_by_role("img", name="Sent")).to_be_visible()
    await answer.get_by_role("button", name="Latte").click()
    await phones.page.get_by_role("button", name="Mark as read").click()
    await expect(answer.get_by_role("img", name="Read")).to_be_visible()
    assert (await phones.updates())[-1]["callback_query"]["data"] == "latte"


async def test_a_message_can_be_answered_edited_reacted_to_and_taken_back(phones: Phones) -> None:
    await phones.show("telegram", BOT, ADA)
    await phones.say("Hello")
    await phones.bot("sendMessage", text="What can we do for you?")
    question = phones.bubble("What can we do for you?")
    await question.get_by_label("Message actions").click()
    await question.get_by_role("button", name="React 👍").click()
    await expect(question.get_by_label("Reactions")).to_have_text("👍")
    await question.get_by_label("Message actions").click()
    await question.get_by_role("button", name="Reply").click()
    await phones.say("A late please")
    own = phones.bubble("A late please")
    await expect(own.get_by_role("blockquote")).to_have_text("What can we do for you?")
    await own.get_by_label("Message actions").click()
    await own.get_by_role("button", name="Edit").click()
    await phones.say("A latte please")
    own = phones.bubble("A latte please")
    await expect(own).to_contain_text("edited")
    await own.get_by_label("Message actions").click()
    await own.get_by_role("button", name="Unsend").click()
    await expect(phones.bubble("This message was deleted.")).to_be_visible()
    answered, edited = (await phones.updates())[-2:]
    assert answered["message"]["reply_to_message"]["text"] == "What can we do for you?"
    assert edited["edited_message"]["text"] == "A latte please"


async def test_files_places_and_people_are_sent_and_shown(phones: Phones, tmp_path: Path) -> None:
    picture = tmp_path / "cup.png"
    picture.write_bytes(PNG)
    await phones.show("telegram", BOT, ADA)
    await phones.page.get_by_label("File", exact=True).set_input_files(picture)
    shown = phones.page.get_by_role("img", name="Picture: cup.png")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    for kind, send in (("Location", "Send a location"), ("Contact", "Send a contact")):
        await phones.page.get_by_label("Attach").click()
        await phones.page.get_by_role("button", name=kind, exact=True).click()
        dialog = phones.page.get_by_role("dialog", name=send)
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_be_hidden()
    await expect(phones.bubble("10.7769, 106.7009")).to_be_visible()
    await expect(phones.bubble("Ada Byron +84901000001")).to_be_visible()
    kinds = [[*update["message"]][4] for update in await phones.updates()]
    assert kinds == ["photo", "location", "contact"]


async def test_accounts_and_people_are_added_and_block(phones: Phones) -> None:
    await phones.show("telegram", BOT, ADA)
    page = phones.page
    await page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog", name="Add an account")
    await dialog.get_by_label("Provider").select_option("Zalo")
    await dialog.get_by_label("Name").fill("Phở Bar")
    await dialog.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("heading", name="Phở Bar")).to_be_visible()
    await page.get_by_role("button", name="Add person").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Linh")
    await page.get_by_role("dialog").get_by_role("button", name="Add").click()
    await expect(page.get_by_label("Person", exact=True)).to_contain_text("Linh")
    await page.get_by_text("What this person does").click()
    await page.get_by_role("button", name="Block", exact=True).click()
    await expect(page.get_by_text("has blocked the account")).to_be_visible()


async def test_what_the_account_needs_is_shown_and_faults_are_set(phones: Phones) -> None:
    async with listening() as ear:
        await _configure_zalo(phones, ear)
        await phones.say("Xin chào")
        await expect(phones.page.get_by_text("Delivered (200)")).to_have_count(2)
        await phones.page.get_by_text("user_send_text").first.click()
        await expect(phones.page.locator("pre").first).to_contain_text("Xin chào")
        assert len(ear.heard) == 2
        await phones.page.get_by_role("button", name="Set all back").click()
        await expect(phones.page.get_by_label("Copies", exact=True)).to_have_value("1")


async def _configure_zalo(phones: Phones, ear: Ear) -> None:
    page = phones.page
    await phones.show("zalo", "1000000000000000005", "2000000000000000001")
    await expect(page.locator("code[data-name='Access token']")).to_have_text("demo-zalo-access-token")
    await page.get_by_label("Webhook URL").fill(ear.url)
    await page.get_by_role("button", name="Save webhook").click()
    await expect(page.get_by_role("status")).to_have_text("Webhook URL saved.")
    await page.get_by_text("Faults", exact=True).click()
    await page.get_by_label("Copies", exact=True).fill("2")
    await page.get_by_label("Copies", exact=True).press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Copies set.")
    await page.get_by_text("Webhooks", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_sticks_out_on_a_small_screen(phones: Phones, scheme: Any) -> None:
    await phones.page.emulate_media(color_scheme=scheme)
    await phones.page.set_viewport_size({"width": 390, "height": 780})
    await phones.show("telegram", BOT, ADA)
    await phones.say("A word that is so long that it has to be broken: " + "x" * 200)
    await expect(phones.bubble("xxx")).to_be_visible()
    await phones.page.get_by_role("button", name="Tools").click()
    await expect(phones.page.get_by_role("complementary", name="Tools")).to_be_visible()
    assert await phones.page.evaluate("document.documentElement.scrollWidth") == 390
