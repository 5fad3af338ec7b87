"""What outlives a restart of the sandbox beside the product."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from chatwright.app.sandbox import open_sandbox
from chatwright.sandbox.keeping import keep
from tests.sandbox.running import Ear, Stage, listening
from tests.serving import serving

TOKEN = "7000000004:AAdemo-telegram-token-of-the-sandbox"
BOT = {"kind": "telegram", "id": "7000000004"}
OFFICIAL = {"kind": "zalo", "id": "1000000000000000005"}


@asynccontextmanager
async def running(kept: Path) -> AsyncGenerator[Stage]:
    """The sandbox between two starts."""
    sandbox = open_sandbox("http://127.0.0.1:8800", kept=kept)
    keeping = asyncio.create_task(keep(sandbox.world, kept))
    async with serving(sandbox.app) as url, httpx2.AsyncClient(base_url=url) as http:
        yield Stage(url, sandbox, http)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


async def test_a_connected_bot_is_still_connected(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"
    async with listening() as ear:
        async with running(kept) as stage:
            url = f"/telegram/bot{TOKEN}/setWebhook"
            assert (await stage.http.post(url, json={"url": ear.url, "secret_token": "abc"})).is_success
            ann = await stage.person(BOT, name="Ann")
            await stage.act(BOT, ann, "say", text="before")
            await stage.settled()
        async with running(kept) as stage:
            call = {"chat_id": ann["id"], "text": "Welcome back"}
            answer = await stage.http.post(f"/telegram/bot{TOKEN}/sendMessage", json=call)
            assert answer.json()["ok"], answer.text
            await stage.act(BOT, ann, "say", text="after")
            await stage.settled()
    assert [event["message"]["text"] for event in ear.events] == ["before", "after"]
    assert heard_secrets(ear) == {"abc"}


def heard_secrets(ear: Ear) -> set[str]:
    return {heard.headers["x-telegram-bot-api-secret-token"] for heard in ear.heard}


async def test_tokens_that_turned_over_are_known(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"

    async def exchange(stage: Stage, token: str) -> dict[str, str]:
        form = {"app_id": "3000000000000000005", "grant_type": "refresh_token", "refresh_token": token}
        headers = {"secret_key": "demo-app-secret"}
        return (await stage.http.post("/zalo/v4/oa/access_token", data=form, headers=headers)).json()

    async with running(kept) as stage:
        pair = await exchange(stage, "demo-zalo-refresh-token")
    async with running(kept) as stage:
        headers = {"access_token": pair["access_token"]}
        assert (await stage.http.get("/zalo/v2.0/oa/getoa", headers=headers)).json()["error"] == 0
        assert "error" in await exchange(stage, "demo-zalo-refresh-token")
        assert "access_token" in await exchange(stage, pair["refresh_token"])


async def test_accounts_of_meta_keep_what_was_set_up(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"
    path = "/accounts/whatsapp/100000000000001"
    async with running(kept) as stage:
        before = await stage.control("PATCH", path, webhook_url="http://127.0.0.1:9/hook")
    async with running(kept) as stage:
        assert await stage.control("GET", path) == before
        headers = {"authorization": "Bearer EAAdemo-whatsapp"}
        answer = await stage.http.get("/graph/v26.0/200000000000001/message_templates", headers=headers)
        assert [one["name"] for one in answer.json()["data"]] == ["order_on_its_way"]


@pytest.mark.parametrize("text", ["", "{", '{"accounts": [{}]}'])
async def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "sandbox.json"
    kept.write_text(text)
    async with running(kept) as stage:
        kinds = {account["kind"] for account in await stage.control("GET", "/accounts")}
    assert kinds == {"whatsapp", "messenger", "instagram", "telegram", "zalo"}
    assert OFFICIAL["id"] in kept.read_text()
