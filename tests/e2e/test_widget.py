"""The chat bubble in a real browser, against the real server, which dies now and then."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from mcp import Client, StdioServerParameters
from mcp.types import TextResourceContents
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.e2e.programs import CHATWRIGHT, Home, Program, free_port
from tests.serving import serving
from tests.surfaces.mcp.server import connected

SITE_HOST = "shop.example"
"""A customer's website, without HTTPS; the browser is told that it is on this machine."""
STRICT = "default-src 'none'; script-src {server}; connect-src {server}; require-trusted-types-for 'script'"
"""A content security policy that lets the widget load and call its server, and nothing else."""
UP = "Stop with Ctrl-C."

PATIENCE = 45.0
"""Seconds. What a killed process had begun is taken up again when its lease ends, half a minute later."""

expect.set_options(timeout=PATIENCE * 1000)


@dataclass
class Office:
    """Our side: the server, and what an owner's token may do there."""

    home: Home
    url: str
    program: Program
    api: httpx2.AsyncClient
    site: str
    """Origin of the customer's website."""
    inboxes: dict[str, str] = field(default_factory=dict[str, str])

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        answer = await self.api.request(method, f"/api/v1{path}", json=arguments or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def until(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The conversation that looks so, as soon as there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for conversation in (await self.call("GET", "/conversations"))["items"]:
                    if found(conversation):
                        return conversation
                await asyncio.sleep(0.05)

    async def conversation_ending_in(self, text: str) -> str:
        """The id of the conversation whose latest message this is."""
        return (await self.until(lambda conversation: conversation["last_text"] == text))["id"]

    async def answer(self, conversation: str, text: str) -> dict[str, Any]:
        return await self.call("POST", f"/conversations/{conversation}/messages", text=text)

    async def show(self, conversation: str, **content: Any) -> None:
        """Answer with more than text."""
        await self.call("POST", f"/conversations/{conversation}/messages", content=content)

    async def texts(self, conversation: str) -> list[str]:
        """What was said, oldest first."""
        page = await self.call("GET", f"/conversations/{conversation}/messages?limit=200")
        return [message["content"]["text"] for message in reversed(page["items"])]


@dataclass(frozen=True)
class Bubble:
    """The widget on one page, as somebody sees it."""

    page: Page

    @property
    def launcher(self) -> Locator:
        return self.page.locator("button.launcher")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.box).to_be_focused()

    async def say(self, text: str) -> None:
        await self.box.fill(text)
        await self.box.press("Enter")

    async def shows(self, *texts: str) -> None:
        """Wait until exactly these bubbles are there, the greeting left out."""
        await expect(self.log.locator(".row .bubble")).to_have_text(["Hi! How can we help?", *texts])

    async def has_sent(self) -> None:
        """Wait until the visitor's last words are with the server."""
        await expect(self.log.locator(".own .state").last).to_have_text(re.compile("Sent|Seen"))

    async def has_conversation(self) -> None:
        """Wait until the page knows that there is a conversation: what was said came back to it on the stream."""
        await self.log.locator(".own .hidden").last.wait_for(state="attached")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Office]:
    port = free_port()
    home = Home(tmp_path_factory.mktemp("widget"))
    words = ("up", "--port", str(port), "--data", str(home.data))
    program = await Program(home, "up", *words, sign=UP).up()
    url = f"http://127.0.0.1:{port}"
    headers = {"authorization": f"Bearer {home.token()}"}
    async with (
        serving([Route("/{language}/{inbox_id}", shop_page(url))]) as site,
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=20) as api,
    ):
        office = Office(home, url, program, api, site.replace("127.0.0.1", SITE_HOST))
        for name, origins in (("open", [office.site]), ("closed", ["http://other.example"])):
            settings = {"allowed_origins": origins, "color": "#facc15"}
            made = await office.call("POST", "/inboxes", channel="webchat", name=name, settings=settings)
            office.inboxes[name] = made["id"]
        yield office
    program.stop()


def shop_page(server: str) -> Callable[[Request], Response]:
    """A page of the customer's website, in any language, with the widget of any inbox."""

    def page(request: Request) -> Response:
        language, inbox_id = request.path_params["language"], request.path_params["inbox_id"]
        script = f'<script async src="{server}/widget.js" data-inbox="{inbox_id}"></script>'
        viewport = '<meta name="viewport" content="width=device-width">'
        html = f'<!doctype html><html lang="{language}">{viewport}<title>Shop</title>{script}<button>Buy</button>'
        return HTMLResponse(html, headers={"content-security-policy": STRICT.format(server=server)})

    return page


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncGenerator[Browser]:
    path = os.environ.get("CHATWRIGHT_CHROMIUM") or shutil.which("chromium")
    assert path, "these tests need Chromium; ./dev test e2e installs it, or says how to"
    async with async_playwright() as playwright:
        here = f"--host-resolver-rules=MAP {SITE_HOST} 127.0.0.1"
        yield await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", here])


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """Somebody's browser, which has never been here; no page of it may complain."""
    context = await browser.new_context()
    trouble: list[str] = []
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    yield context
    await context.close()
    assert trouble == []


@asynccontextmanager
async def server_down(office: Office) -> AsyncGenerator[None]:
    """The server dies as in a power cut, and comes back."""
    office.program.kill()
    yield
    await office.program.up()


async def demo(office: Office, context: BrowserContext) -> Bubble:
    """The demo page in a new tab."""
    page = await context.new_page()
    await page.goto(f"{office.url}/demo")
    return Bubble(page)


async def shop(
    office: Office, context: BrowserContext, *, inbox: str = "open", language: str = "en"
) -> Bubble:
    """The customer's page in a new tab; it is there also while our server is not."""
    page = await context.new_page()
    await page.goto(f"{office.site}/{language}/{office.inboxes[inbox]}")
    return Bubble(page)


pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestFirstDay:
    """The whole of it: a visitor writes, an MCP client reads, knows the visitor and answers."""

    @pytest.mark.parametrize("era", ["auto", "legacy"])
    @pytest.mark.parametrize("way", ["stdio", "http"])
    async def test_an_mcp_client_reads_and_answers(
        self, office: Office, context: BrowserContext, way: str, era: str
    ) -> None:
        question = f"Do you ship abroad? ({way}, {era})"
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say(question)
        here = await office.conversation_ending_in(question)
        async with mcp_client(office, way, era) as client:
            listed = (await client.call_tool("list_conversations", {"unread": True})).structured_content
            assert listed is not None
            (conversation,) = [item for item in listed["items"] if item["id"] == here]
            (read,) = (await client.read_resource(f"chatwright://conversations/{here}")).contents
            assert isinstance(read, TextResourceContents)
            (message,) = json.loads(read.text)["messages"]["items"]
            assert message["content"] == {"type": "text", "text": question}
            who = {"contact_id": conversation["contact_id"]}
            await client.call_tool("update_contact", {**who, "name": "Ann of Hanoi"})
            await client.call_tool("add_contact_tags", {**who, "tags": ["lead"]})
            answer = {"conversation_id": here, "text": "We do.", "idempotency_key": here}
            for _ in range(2):
                assert not (await client.call_tool("send_message", answer)).is_error
        await bubble.shows(question, "We do.")
        contact = await office.call("GET", f"/contacts/{who['contact_id']}")
        assert (contact["name"], contact["tags"]) == ("Ann of Hanoi", ["lead"])
        records = (await office.call("GET", "/audit?limit=4"))["items"][::-1]
        assert [(record["surface"], record["operation"], record["outcome"]) for record in records] == [
            ("mcp", "contacts.update", "done"),
            ("mcp", "contacts.add_tags", "done"),
            ("mcp", "messages.send", "done"),
            ("mcp", "messages.send", "replayed"),
        ]
        assert (await office.call("GET", "/audit/verification"))["intact"]


def mcp_client(office: Office, way: str, era: str) -> AbstractAsyncContextManager[Client]:
    """The official client, on this machine by the bridge or from anywhere by HTTP."""
    if way == "http":
        return connected(f"{office.url}/mcp", office.home.token(), era)
    bridge = StdioServerParameters(command=str(CHATWRIGHT), args=["mcp"], env=office.home.environment())
    return Client(bridge, mode=era)


class TestTalking:
    async def test_a_visitor_writes_and_reads_the_answer(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Hi, is anybody there?")
        await bubble.shows("Hi, is anybody there?")
        conversation = await office.conversation_ending_in("Hi, is anybody there?")
        await office.answer(conversation, "Yes, we are.")
        await bubble.shows("Hi, is anybody there?", "Yes, we are.")

    async def test_a_reload_goes_on_where_it_was(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Before the reload")
        await bubble.has_sent()
        await bubble.page.reload()
        await bubble.shows("Before the reload")
        await bubble.say("After the reload")
        await bubble.shows("Before the reload", "After the reload")
        conversation = await office.conversation_ending_in("After the reload")
        assert await office.texts(conversation) == ["Before the reload", "After the reload"]

    async def test_a_second_tab_keeps_in_step(self, office: Office, context: BrowserContext) -> None:
        first = await demo(office, context)
        await first.open()
        await first.say("From the first tab")
        await first.has_sent()
        second = await demo(office, context)
        await second.open()
        await second.shows("From the first tab")
        await second.say("From the second tab")
        conversation = await office.conversation_ending_in("From the second tab")
        await office.answer(conversation, "To both")
        for tab in (first, second):
            await tab.shows("From the first tab", "From the second tab", "To both")

    async def test_a_tab_that_was_there_before_the_first_word(
        self, office: Office, context: BrowserContext
    ) -> None:
        first, second = await demo(office, context), await demo(office, context)
        await first.open()
        await first.say("First word")
        await first.has_sent()
        await second.open()
        await second.shows("First word")

    async def test_a_burst_arrives_whole_and_in_order(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        texts = [f"burst {number}" for number in range(20)]
        for text in texts:
            await bubble.say(text)
        await bubble.shows(*texts)
        await bubble.has_sent()
        assert await office.texts(await office.conversation_ending_in("burst 19")) == texts


class TestDyingServer:
    async def test_nothing_is_lost_and_nothing_comes_twice(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Before the fall")
        await bubble.has_sent()
        async with server_down(office):
            await bubble.say("During the fall")
            await expect(bubble.log.get_by_text("Sending…")).to_be_visible()
            await expect(bubble.page.get_by_role("status")).to_have_text("Reconnecting…")
        await bubble.say("After the fall")
        await bubble.shows("Before the fall", "During the fall", "After the fall")
        conversation = await office.conversation_ending_in("After the fall")
        await office.answer(conversation, "Still here")
        said = ["Before the fall", "During the fall", "After the fall", "Still here"]
        await bubble.shows(*said)
        await bubble.page.reload()
        await bubble.shows(*said)
        assert await office.texts(conversation) == said

    async def test_killed_at_the_moment_of_sending(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        texts: list[str] = []
        for round_ in range(3):
            for number in range(3):
                texts.append(f"shot {round_}.{number}")
                await bubble.say(texts[-1])
            async with server_down(office):
                pass
        await bubble.shows(*texts)
        await bubble.has_sent()
        assert await office.texts(await office.conversation_ending_in(texts[-1])) == texts

    async def test_what_was_written_without_a_server_outlives_its_tab(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await shop(office, context)
        await bubble.open()
        await bubble.say("While it was up")
        await bubble.has_sent()
        async with server_down(office):
            await bubble.say("Into the void")
            await bubble.page.close()
        again = await shop(office, context)
        conversation = await office.conversation_ending_in("Into the void")
        await again.open()
        await again.shows("While it was up", "Into the void")
        assert await office.texts(conversation) == ["While it was up", "Into the void"]

    async def test_another_tab_takes_over_what_a_closed_one_left(
        self, office: Office, context: BrowserContext
    ) -> None:
        first = await shop(office, context)
        await first.open()
        await first.say("Hello")
        await first.has_sent()
        second = await shop(office, context)
        await second.open()
        await second.shows("Hello")
        async with server_down(office):
            await first.say("My last words")
            await second.shows("Hello", "My last words")
            await first.page.close()
        await second.has_sent()
        assert await office.texts(await office.conversation_ending_in("My last words")) == [
            "Hello",
            "My last words",
        ]


class TestReading:
    async def test_a_closed_chat_counts_what_is_unread(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Count for me")
        conversation = await office.conversation_ending_in("Count for me")
        await bubble.page.keyboard.press("Escape")
        one, two = [await office.answer(conversation, text) for text in ("one", "two")]
        await expect(bubble.launcher).to_have_accessible_name("Open chat, 2 unread")
        await bubble.page.reload()
        await expect(bubble.launcher).to_have_accessible_name("Open chat, 2 unread")
        assert await self.status(office, one) == await self.status(office, two) == "sent"
        await bubble.open()
        await bubble.shows("Count for me", "one", "two")
        async with asyncio.timeout(PATIENCE):
            while {await self.status(office, one), await self.status(office, two)} != {"read"}:
                await asyncio.sleep(0.05)
        await bubble.page.keyboard.press("Escape")
        await expect(bubble.launcher).to_have_accessible_name("Open chat")

    async def status(self, office: Office, message: dict[str, Any]) -> str:
        return (await office.call("GET", f"/messages/{message['id']}"))["message"]["status"]

    async def test_the_visitor_sees_that_we_read_and_type(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Do you read me?")
        conversation = await office.conversation_ending_in("Do you read me?")
        await bubble.has_sent()
        await expect(bubble.log.get_by_text("Sent", exact=True)).to_be_visible()
        await office.call("POST", f"/conversations/{conversation}/read")
        await expect(bubble.log.get_by_text("Seen", exact=True)).to_be_visible()
        await office.call("POST", f"/conversations/{conversation}/typing", typing=True)
        dots = bubble.log.get_by_label("Chat with us is typing")
        await expect(dots).to_be_visible()
        await office.answer(conversation, "Loud and clear")
        await expect(dots).to_have_count(0)

    async def test_we_see_that_the_visitor_types(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Watch me type")
        conversation = await office.conversation_ending_in("Watch me type")
        await bubble.has_conversation()
        async with office.api.stream("GET", "/api/v1/events") as events:
            lines = events.aiter_lines()
            assert await anext(lines) == ": ready"
            await bubble.box.press_sequentially("I am")
            async with asyncio.timeout(PATIENCE):
                async for line in lines:
                    if "conversation.typing" in line:
                        assert conversation in line
                        break


class TestContent:
    async def test_buttons_and_quick_replies_answer(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("What can I choose?")
        conversation = await office.conversation_ending_in("What can I choose?")
        links = [{"label": "Track it", "payload": "TRACK"}, {"label": "Shop", "url": "https://shop.example/"}]
        await office.show(conversation, type="buttons", text="Choose", buttons=links)
        shop_link = bubble.log.get_by_role("link", name="Shop")
        await expect(shop_link).to_have_attribute("href", "https://shop.example/")
        await bubble.log.get_by_role("button", name="Track it").click()
        await office.conversation_ending_in("Track it")
        replies = [{"label": "Yes", "payload": "Y"}, {"label": "No"}]
        await office.show(conversation, type="quick_replies", text="Did it help?", replies=replies)
        await bubble.log.get_by_role("button", name="Yes").click()
        await office.conversation_ending_in("Yes")
        await expect(bubble.log.get_by_role("button", name="No")).to_have_count(0)
        said = (await office.call("GET", f"/conversations/{conversation}/messages"))["items"][0]["content"]
        assert said == {"type": "reply", "text": "Yes", "payload": "Y"}

    async def test_lists_cards_places_and_people_are_shown(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        await bubble.say("Show me everything")
        conversation = await office.conversation_ending_in("Show me everything")
        rows = [{"title": "Shirts", "description": "Linen", "payload": "S"}, {"title": "Shoes"}]
        sections = [{"title": "Clothes", "rows": rows}]
        await office.show(conversation, type="list", text="Departments", button="Open", sections=sections)
        await bubble.log.get_by_text("Open", exact=True).click()
        await expect(bubble.log.get_by_role("button", name="Shirts Linen")).to_be_visible()
        cards = [{"title": "Sneakers", "subtitle": "79", "buttons": [{"label": "Buy"}]}]
        await office.show(conversation, type="carousel", cards=cards)
        await expect(bubble.log.get_by_role("button", name="Buy")).to_be_visible()
        await office.show(conversation, type="location", latitude=21.0285, longitude=105.8542, name="Hanoi")
        await expect(bubble.log.get_by_role("link", name="Hanoi")).to_have_attribute(
            "href", re.compile("openstreetmap.org")
        )
        await office.show(conversation, type="contact_card", name="Ann", phones=["+84 24 3825"], emails=[])
        await expect(bubble.log.get_by_role("link", name="+84 24 3825")).to_have_attribute(
            "href", "tel:+84243825"
        )

    async def test_words_stay_words_and_links_are_safe(self, office: Office, context: BrowserContext) -> None:
        bubble = await demo(office, context)
        await bubble.open()
        evil = '<img src=x onerror="document.title=1"> javascript:alert(1) https://shop.example/a?b=(c).'
        await bubble.say(evil)
        await bubble.shows(evil)
        await expect(bubble.log.locator("img")).to_have_count(0)
        (link,) = await bubble.log.get_by_role("link").all()
        assert await link.get_attribute("href") == "https://shop.example/a?b=(c"
        assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
        conversation = await office.conversation_ending_in(evil)
        buttons = [{"label": "Press", "url": "javascript:alert(1)"}]
        await office.show(conversation, type="buttons", text="Trust me", buttons=buttons)
        await expect(bubble.log.get_by_role("button", name="Press")).to_be_visible()


class TestOnOtherWebsites:
    async def test_it_works_under_a_strict_policy(self, office: Office, context: BrowserContext) -> None:
        bubble = await shop(office, context)
        await bubble.open()
        await bubble.say("From a shop")
        await bubble.has_sent()
        await expect(bubble.launcher).to_have_css("background-color", "rgb(250, 204, 21)")
        await expect(bubble.launcher).to_have_css("color", "rgb(0, 0, 0)")

    async def test_a_website_that_is_not_allowed_gets_no_bubble(
        self, office: Office, context: BrowserContext
    ) -> None:
        # The browser does not even say with which status: the answer is not for this website.
        async with context.expect_event("requestfailed", lambda request: "/webchat/" in request.url):
            bubble = await shop(office, context, inbox="closed")
        await expect(bubble.launcher).to_have_count(0)

    async def test_nothing_is_kept_before_the_chat_is_opened(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble = await shop(office, context)
        await expect(bubble.launcher).to_be_visible()
        kept = "localStorage.length + sessionStorage.length + document.cookie.length"
        assert await bubble.page.evaluate(kept) == 0
        await bubble.open()
        await expect(bubble.page.get_by_role("status")).to_have_text("")
        assert await bubble.page.evaluate(kept) > 0

    async def test_reset_forgets_the_visitor_in_every_tab(
        self, office: Office, context: BrowserContext
    ) -> None:
        bubble, other = await shop(office, context), await shop(office, context)
        await bubble.open()
        await bubble.say("Forget me")
        await bubble.has_sent()
        await other.open()
        await other.shows("Forget me")
        await bubble.page.evaluate("Chatwright.reset()")
        for tab in (bubble, other):
            await expect(tab.launcher).to_have_accessible_name("Open chat")
            assert await tab.page.evaluate("localStorage.length + sessionStorage.length") == 0
        await bubble.page.evaluate("Chatwright.open()")
        await bubble.shows()
        await bubble.page.evaluate("Chatwright.close()")
        await expect(bubble.box).to_have_count(0)


class TestEverybody:
    async def test_the_keyboard_is_enough(self, office: Office, context: BrowserContext) -> None:
        bubble = await shop(office, context)
        await expect(bubble.launcher).to_be_visible()
        page = bubble.page
        await page.get_by_role("button", name="Buy").focus()
        await page.keyboard.press("Tab")
        await expect(bubble.launcher).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(bubble.box).to_be_focused()
        await expect(bubble.launcher).to_have_attribute("aria-expanded", "true")
        await page.keyboard.type("Two")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("lines")
        await page.keyboard.press("Enter")
        await bubble.shows("Two\nlines")
        await page.keyboard.press("Shift+Tab")
        await expect(bubble.log).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(bubble.launcher).to_be_focused()
        await expect(bubble.launcher).to_have_attribute("aria-expanded", "false")

    async def test_languages_that_run_the_other_way(self, office: Office, context: BrowserContext) -> None:
        bubble = await shop(office, context, language="ar")
        await expect(bubble.launcher).to_have_accessible_name("فتح المحادثة")
        place = await bubble.launcher.bounding_box()
        assert place is not None
        assert place["x"] < 100

    async def test_a_phone_gives_it_the_whole_screen(self, office: Office, browser: Browser) -> None:
        context = await browser.new_context(viewport={"width": 390, "height": 800}, is_mobile=True)
        bubble = await shop(office, context)
        await bubble.open()
        place = await bubble.page.get_by_role("dialog").bounding_box()
        assert place == {"x": 0, "y": 0, "width": 390, "height": 800}
        await bubble.page.get_by_role("button", name="Close chat").click()
        await expect(bubble.launcher).to_be_focused()
        await context.close()
