"""Access by OAuth from beginning to end: a person in Chromium, and programs that nobody here wrote."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from mcp.types import CallToolResult, TextContent
from playwright.async_api import Browser, async_playwright, expect

from chatwright.app.settings import Settings
from chatwright.features.workspaces.oauth.operations import list_grants, revoke_grant
from tests.conformance.suite import judge_authorization, told
from tests.e2e.granting import (
    Callback,
    Kept,
    Office,
    Person,
    asking_client,
    called_back,
    open_office,
)
from tests.e2e.programs import free_port
from tests.surfaces.mcp.server import ERAS, ask, modern


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(settings: Settings, postgres: str) -> AsyncGenerator[Office]:
    async with open_office(settings, postgres) as office:
        yield office


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    path = os.environ.get("CHATWRIGHT_CHROMIUM") or shutil.which("chromium")
    assert path, "these tests need Chromium; ./dev test e2e installs it, or says how to"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser) -> AsyncGenerator[Person]:
    """Ada at a browser that has never been here."""
    context = await browser.new_context()
    yield Person(context)
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def callback() -> AsyncGenerator[Callback]:
    async with called_back() as callback:
        yield callback


@pytest.mark.parametrize("mode", ERAS)
async def test_a_program_gets_what_its_person_allows_and_loses_it_when_they_take_it_back(
    office: Office, person: Person, callback: Callback, mode: str
) -> None:
    kept = Kept()

    async def decide(url: str) -> None:
        """Sign in at first and keep contacts to herself; allow them when the program comes for them."""
        first = not person.seen
        page = await person.open(url)
        if first:
            await person.sign_in(page)
            await page.locator("input[name=allow][value='contacts:read']").uncheck()
        await page.get_by_role("button", name="Allow", exact=True).click()
        await expect(page.get_by_text("Go back to your program.")).to_be_visible()

    async with asking_client(office.url, callback, kept, decide, mode) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "list_conversations" in names
        assert "find_contacts" not in names
        assert worked(await client.call_tool("list_conversations", {}))
        assert len(person.seen) == 1
        assert worked(await client.call_tool("find_contacts", {}))
        assert len(person.seen) == 2

    # The client itself keeps the list it has for as long as the server says it may.
    assert '"find_contacts"' in (await listed(office, kept)).text
    (grant,) = (await office.desk.call(list_grants))["items"]
    assert grant["client_name"] == "Asking"
    assert "contacts:read" in grant["scopes"]
    await office.desk.call(revoke_grant, grant_id=grant["id"])
    # A process remembers a token for a second.
    await asyncio.sleep(1)
    refused = await listed(office, kept)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert (await refreshed(office, kept)).json()["error"] == "invalid_grant"


async def test_the_conformance_suite_is_let_in(office: Office, person: Person, tmp_path: Path) -> None:
    port = free_port()
    client_id = await registered(office, f"http://127.0.0.1:{port}/callback")

    async def allow(url: str) -> None:
        page = await person.open(url)
        await person.sign_in(page)
        await page.get_by_role("button", name="Allow", exact=True).click()
        await expect(page.get_by_text("OK. You can close this page.")).to_be_visible()

    verdict = await judge_authorization(
        *("--url", office.url, "--client-id", client_id, "--port", str(port)),
        *("--resource", f"{office.url}/mcp"),
        results=tmp_path,
        visit=allow,
    )
    assert verdict.conforms, told(verdict.checks)
    assert {check.name for check in verdict.checks if check.status == "SUCCESS"} == {
        "authorization-server-metadata",
        "authorization-server-metadata-cimd",
        "authorization-code-grant",
    }


def worked(result: CallToolResult) -> bool:
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    assert not result.is_error, texts
    return result.structured_content is not None


async def listed(office: Office, kept: Kept) -> httpx2.Response:
    """The list of tools, for the program's token."""
    assert kept.tokens is not None
    return await ask(f"{office.url}/mcp", kept.tokens.access_token, **modern("tools/list"))


async def refreshed(office: Office, kept: Kept) -> httpx2.Response:
    """What comes of the program's refresh token."""
    assert kept.tokens is not None
    assert kept.client is not None
    form = {
        "grant_type": "refresh_token",
        "refresh_token": kept.tokens.refresh_token,
        "client_id": kept.client.client_id,
    }
    async with httpx2.AsyncClient() as http:
        return await http.post(f"{office.url}/oauth/token", data=form)


async def registered(office: Office, redirect_uri: str) -> str:
    """The id of a client that registers itself."""
    async with httpx2.AsyncClient() as http:
        answer = await http.post(
            f"{office.url}/oauth/register", json={"client_name": "Suite", "redirect_uris": [redirect_uri]}
        )
    return answer.json()["client_id"]
