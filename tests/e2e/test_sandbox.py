"""The sandbox beside the product: its page's own command connects an account, and a phone chats with every face."""

import asyncio
import json
import os
import shlex
import subprocess
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.e2e.programs import CHATWRIGHT, Home, Program, free_port
from tests.surfaces.mcp.server import connected

PATIENCE_SECONDS = 30
ANSWERS = ("Yes, says REST.", "Yes, says the command line.", "Yes, says MCP.")

pytestmark = pytest.mark.timeout(4 * PATIENCE_SECONDS)


@dataclass(frozen=True)
class Street:
    """`chatwright up --sandbox`, and a browser on the page of its phones."""

    home: Home
    url: str
    phones: str
    page: Page
    api: httpx2.AsyncClient

    async def run(self, *words: str) -> Any:
        """Run one of the product's commands; returns what it printed as JSON."""
        done = await asyncio.to_thread(
            subprocess.run,
            [CHATWRIGHT, *words, "--json"],
            env=self.home.environment(),
            cwd=self.home.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def conversation(self, inbox: str, text: str) -> str:
        """The id of the inbox's conversation whose latest words these are, as soon as there is one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                listed = (await self.api.get("/conversations", params={"inbox_id": inbox})).json()["items"]
                for conversation in listed:
                    if conversation["last_text"] == text:
                        return conversation["id"]
                await asyncio.sleep(0.1)

    def bubble(self, text: str) -> Locator:
        return self.page.get_by_role("log", name="Chat").get_by_role("article").filter(has_text=text)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Street]:
    port, phones = free_port(), free_port()
    home = Home(tmp_path_factory.mktemp("street"))
    words = ["up", "--port", str(port), "--data", str(home.data), "--sandbox", "--sandbox-port", str(phones)]
    program = await Program(home, "up", *words, sign="Stop with Ctrl-C.").up()
    url = f"http://127.0.0.1:{port}"
    headers = {"authorization": f"Bearer {home.token()}"}
    async with (
        async_playwright() as playwright,
        httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=PATIENCE_SECONDS) as api,
    ):
        chromium = os.environ.get("CHATWRIGHT_CHROMIUM", "chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield Street(home, url, f"http://127.0.0.1:{phones}", page, api)
        await browser.close()
    program.stop()


@pytest.mark.parametrize("provider", ["WhatsApp", "Messenger", "Instagram", "Telegram", "Zalo"])
async def test_a_phone_chats_with_every_face(street: Street, provider: str) -> None:
    page, patience = street.page, PATIENCE_SECONDS * 1000
    await page.goto(street.phones)
    await page.get_by_label("Account", exact=True).select_option(f"{provider}: Corner Shop")
    await expect(page.get_by_text(f"{provider}, on the phone of Ada Byron")).to_be_visible()
    inbox = await _connect(street)

    question = f"Is {provider} answered here?"
    await page.get_by_label("Message", exact=True).fill(question)
    await page.get_by_role("button", name="Send").click()
    await expect(street.bubble(question)).to_be_visible()
    conversation = await street.conversation(inbox, question)

    by_rest, by_command, by_mcp = ANSWERS
    sent = await street.api.post(f"/conversations/{conversation}/messages", json={"text": by_rest})
    assert sent.is_success, sent.text
    await street.run("messages", "send", conversation, "--text", by_command)
    async with connected(f"{street.url}/mcp", street.home.token()) as client:
        call = {"conversation_id": conversation, "text": by_mcp}
        assert not (await client.call_tool("send_message", call)).is_error
    for answer in ANSWERS:
        await expect(street.bubble(answer)).to_be_visible(timeout=patience)
    # The page has the order of the conversation.
    shown = [await bubble.inner_text() for bubble in await street.bubble("Yes, says").all()]
    assert [text.splitlines()[0] for text in shown] == list(ANSWERS)


async def _connect(street: Street) -> str:
    """Connect the account that the page shows, by the command and the webhook's form; returns the inbox's id."""
    page = street.page
    command = shlex.split(await page.locator("code[data-name='Command']").inner_text())
    assert command[0] == "chatwright"
    inbox = (await street.run(*command[1:]))["inbox"]
    form = page.get_by_label("Webhook URL")
    if await form.count() and not await form.input_value():
        await form.fill(inbox["hook_url"])
        if inbox["hook_token"] is not None:
            await page.get_by_label("Verify token of the webhook").fill(inbox["hook_token"])
        await page.get_by_role("button", name="Save webhook").click()
        await expect(page.get_by_role("status")).to_have_text("Webhook URL saved.")
    return inbox["id"]


async def test_the_start_screen_names_the_phones(street: Street) -> None:
    screen = next(Path(street.home.folder).glob("up-*.log")).read_text()
    assert f"Phones  {street.phones}/" in screen
