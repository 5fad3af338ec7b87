"""The sandbox's core: its time, its queue of webhooks, its dice and its controls."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import Response

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.faults import Dice, Fate, Faults, by_ending
from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.hooks import Hook, Hooks
from tests.sandbox.running import Ear, Stage, listening, staged

ACCOUNT = ("whatsapp", "1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Graph]) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    async with listening() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def hooks() -> AsyncGenerator[Hooks]:
    opened = Hooks(Clock(waits=1000))
    yield opened
    await opened.close()


def hook(ear: Ear, body: bytes = b"{}", **more: Any) -> Hook:
    return Hook(ACCOUNT, ear.url, body, {"x-test": "1"}, **more)


def numbered(attempt: int) -> dict[str, str]:
    return {"x-attempt": str(attempt)}


async def test_waits_end_when_the_clock_is_moved_on() -> None:
    clock = Clock()
    waiting = asyncio.create_task(clock.wait(3600))
    await asyncio.sleep(0)
    clock.advance(3599)
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(1)
    await asyncio.wait_for(waiting, 10)


async def test_what_is_on_the_wire_is_never_ahead() -> None:
    clock = Clock(lifetimes=60)
    clock.advance(3600)
    assert (clock.now() - clock.stamp()).total_seconds() == pytest.approx(3600, abs=1)
    assert (clock.after(3600) - clock.now()).total_seconds() == pytest.approx(60, abs=1)


async def test_webhooks_climb_their_ladder_until_it_ends(hooks: Hooks, ear: Ear) -> None:
    ear.answers = [Response(status_code=500)] * 3
    delivery = hooks.send(hook(ear, ladder=(1, 2), attempt_headers=numbered))
    assert await hooks.settled(10)
    assert delivery.state == "given_up"
    assert [attempt.status for attempt in delivery.attempts] == [500, 500, 500]
    assert [heard.headers["x-attempt"] for heard in ear.heard] == ["0", "1", "2"]


async def test_webhooks_of_a_lane_keep_their_order(hooks: Hooks, ear: Ear) -> None:
    ear.answers = [Response(status_code=500), Response(status_code=500)]
    for number in range(5):
        hooks.send(hook(ear, str(number).encode(), ladder=(5, 5), lane="a chat"))
    assert await hooks.settled(10)
    assert [heard.body for heard in ear.heard] == [b"0", b"0", b"0", b"1", b"2", b"3", b"4"]


async def test_nobody_there_is_recorded_as_no_status(hooks: Hooks, ear: Ear) -> None:
    delivery = hooks.send(Hook(ACCOUNT, "http://127.0.0.1:1/hook", b"{}", {}))
    assert await hooks.settled(10)
    assert (delivery.state, delivery.attempts[0].status) == ("given_up", None)


async def test_settling_has_an_end(ear: Ear) -> None:
    hooks = Hooks(Clock())
    ear.answers = [Response(status_code=500)]
    hooks.send(hook(ear, ladder=(3600,)))
    assert not await hooks.settled(0.2)
    await hooks.close()


def test_dice_fall_as_their_rates_and_seed_say() -> None:
    faults = Faults(too_many=0.1, broken=0.2, silent=0.3, seed=7)
    throws = [Dice().throw(faults) for _ in range(2)]
    assert throws[0] is throws[1]
    dice = Dice()
    found = [dice.throw(faults) for _ in range(10_000)]
    assert found.count(Fate.TOO_MANY) == pytest.approx(1000, abs=150)
    assert found.count(Fate.BROKEN) == pytest.approx(2000, abs=200)
    assert found.count(Fate.SILENT) == pytest.approx(3000, abs=250)


def test_the_longest_ending_decides() -> None:
    assert by_ending({"1": "100", "21": "200"}, "4321") == "200"
    assert by_ending({"1": "100"}, "4322") is None


async def test_controls_say_what_they_do_not_understand(stage: Stage) -> None:
    async def problem(method: str, path: str, **body: Any) -> tuple[int, str]:
        answer = await stage.http.request(method, f"/_sandbox{path}", json=body)
        return answer.status_code, answer.json()["code"]

    account = await stage.account("whatsapp")
    path = f"/accounts/whatsapp/{account['id']}"
    assert await problem("POST", "/accounts", kind="pigeon") == (422, "INVALID_ARGUMENT")
    assert await problem("POST", "/accounts", kind="whatsapp", id=account["id"]) == (409, "SANDBOX_CONFLICT")
    assert await problem("PATCH", f"{path}/faults", too_many=2) == (422, "INVALID_ARGUMENT")
    assert await problem("PATCH", f"{path}/faults", unheard_of=1) == (422, "INVALID_ARGUMENT")
    assert await problem("GET", "/accounts/whatsapp/none") == (404, "SANDBOX_NOT_FOUND")
    ada = await stage.person(account)
    acts = f"{path}/people/{ada['id']}/actions"
    assert await problem("POST", acts, type="say") == (422, "INVALID_ARGUMENT")
    assert await problem("POST", acts, type="react", bubble="none", emoji="x") == (404, "SANDBOX_NOT_FOUND")
    assert await problem("POST", acts, type="follow") == (409, "SANDBOX_CANNOT_DO")
    assert await problem("POST", f"{path}/events", name="field") == (422, "INVALID_ARGUMENT")
    assert await problem("POST", f"{path}/events", name="apocalypse") == (409, "SANDBOX_CANNOT_DO")


async def test_faults_are_changed_one_by_one_and_put_back_together(stage: Stage) -> None:
    account = await stage.account("whatsapp", faults={"batch": 3})
    path = f"/accounts/whatsapp/{account['id']}/faults"
    assert (await stage.control("PATCH", path, silent=0.5))["batch"] == 3
    assert await stage.control("PUT", path, broken=0.1) == Faults(broken=0.1).model_dump()


async def test_sends_are_counted_by_id_and_by_text(stage: Stage) -> None:
    account = await stage.account("whatsapp")
    ada = await stage.person(account)
    url = f"{stage.url}/graph/v26.0/{account['id']}/messages"
    bearer = {"authorization": f"Bearer {account['secrets']['access_token']}"}
    message = {"messaging_product": "whatsapp", "to": ada["id"], "text": {"body": "Once?"}}
    for own_id in ("a", "b", "b"):
        body = {**message, "biz_opaque_callback_data": own_id}
        (await stage.http.post(url, json=body, headers=bearer)).raise_for_status()
    path = f"/accounts/whatsapp/{account['id']}/sends"
    assert await stage.control("GET", f"{path}/copies") == {
        "accepted": 3,
        "refused": {},
        "by_own_id": {"b": 2},
        "by_text": {f"{ada['id']} Once?": 3},
    }
    assert len(await stage.control("GET", f"{path}?own_id=b")) == 2
    await stage.control("DELETE", path)
    assert (await stage.control("GET", f"{path}/copies"))["accepted"] == 0


async def test_changes_are_streamed(stage: Stage) -> None:
    account = await stage.account("whatsapp")
    ada = await stage.person(account)
    async with stage.http.stream("GET", "/_sandbox/changes") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == ": ready"
        await stage.act(account, ada, "say", text="Hi")
        change = await anext(line async for line in lines if line)
    assert change == f'data: {{"kind":"whatsapp","account_id":"{account["id"]}","person_id":"{ada["id"]}"}}'


async def test_an_account_that_is_dropped_is_gone(stage: Stage) -> None:
    account = await stage.account("whatsapp")
    path = f"/accounts/whatsapp/{account['id']}"
    await stage.control("DELETE", path)
    with pytest.raises(AssertionError, match="SANDBOX_NOT_FOUND"):
        await stage.control("GET", path)
    bearer = {"authorization": f"Bearer {account['secrets']['access_token']}"}
    answer = await stage.http.get(f"/graph/v26.0/{account['id']}", headers=bearer)
    assert answer.json()["error"]["code"] == 190
