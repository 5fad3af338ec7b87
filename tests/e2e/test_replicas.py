"""Two replicas behind a round-robin proxy are as one, while one of them is killed and comes back."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.subscriptions import Subscription, SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextResourceContents

from tests.e2e.replicas import Replicas, open_replicas
from tests.surfaces.http.oauth.driving import Reader, answer_of, registered
from tests.surfaces.mcp.server import ERAS, ask, connected, modern

PER_MINUTE = 1800
BURST = 180
"""What a token of that rate may call at once."""
HAMMERED_SECONDS = 12.0
HAMMERS = 6
LONGEST_BELIEF = 1.0
WRITERS = 4
CALLS_EACH = 15
KEYS = 40

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replicas(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Replicas]:
    async with open_replicas(tmp_path_factory.mktemp("replicas")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def owner(replicas: Replicas) -> AsyncGenerator[httpx2.AsyncClient]:
    """The owner's program, on the proxy."""
    async with replicas.client(replicas.owner_token) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(replicas: Replicas) -> None:
    """Each test counts the requests of its own."""
    replicas.proxy.passed.clear()


async def got(client: httpx2.AsyncClient, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def all_of(client: httpx2.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await got(client, path, limit=100, **query, **cursor)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


async def new_token(owner: httpx2.AsyncClient, **more: Any) -> tuple[str, str]:
    """A token's secret and its id."""
    made = (await owner.post("/api/v1/tokens", json={"name": "robot", **more})).json()
    return made["token"], made["access_token"]["id"]


async def new_tag(owner: httpx2.AsyncClient) -> tuple[str, str]:
    """A tag's id and name."""
    made = (await owner.post("/api/v1/tags", json={"name": uuid4().hex})).json()
    return made["id"], made["name"]


async def tag_names(owner: httpx2.AsyncClient) -> set[str]:
    return {tag["name"] for tag in await all_of(owner, "/api/v1/tags")}


async def outcomes_of(owner: httpx2.AsyncClient, operation: str, subject: str) -> Counter[str]:
    """How the recorded calls of an operation that name a subject ended."""
    trail = await all_of(owner, "/api/v1/audit", operation=operation)
    return Counter(record["outcome"] for record in trail if subject in json.dumps(record))


def problem_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    return json.loads(result.content[0].text)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


class TestTools:
    @pytest.mark.parametrize("mode", ERAS)
    async def test_a_client_does_not_notice_that_there_are_two(self, replicas: Replicas, mode: str) -> None:
        name = uuid4().hex
        async with connected(replicas.mcp, replicas.owner_token, mode) as client:
            listed = [{tool.name for tool in (await client.list_tools()).tools} for _ in range(2)]
            made = await client.call_tool("create_contact", {"name": name})
            assert made.structured_content is not None
            for _ in replicas.urls:
                shown = await client.call_tool("get_contact", {"contact_id": made.structured_content["id"]})
                assert shown.structured_content is not None
                assert shown.structured_content["name"] == name
        assert listed[0] == listed[1]
        assert {one.replica for one in replicas.proxy.passed} == {0, 1}

    @pytest.mark.parametrize("mode", ERAS)
    async def test_what_is_tried_again_until_it_is_answered_happens_once(
        self, replicas: Replicas, owner: httpx2.AsyncClient, mode: str
    ) -> None:
        names = [[uuid4().hex for _ in range(CALLS_EACH)] for _ in range(WRITERS)]
        writing = [asyncio.create_task(_write(replicas, mode, each)) for each in names]
        for number in (0, 1):
            await asyncio.sleep(0.2)
            await replicas.strike(number)
        answered = [answer for each in await asyncio.gather(*writing) for answer in each]
        found = await all_of(owner, "/api/v1/contacts")
        counted = Counter(contact["name"] for contact in found)
        assert [counted[name] for each in names for name in each] == [1] * WRITERS * CALLS_EACH
        assert set(answered) <= {contact["id"] for contact in found}
        assert len(set(answered)) == WRITERS * CALLS_EACH
        assert (await got(owner, "/api/v1/audit/verification"))["intact"]


async def _write(replicas: Replicas, mode: str, names: Sequence[str]) -> list[str]:
    """Make a contact of each name, each again and again until there is an answer; gives their ids."""
    return [await _written(replicas, mode, name) for name in names]


async def _written(replicas: Replicas, mode: str, name: str) -> str:
    arguments = {"name": name, "idempotency_key": name}
    while True:
        try:
            async with connected(replicas.mcp, replicas.owner_token, mode) as client:
                result = await client.call_tool("create_contact", arguments)
        except (MCPError, httpx2.HTTPError, BaseExceptionGroup):
            await asyncio.sleep(0.05)
            continue
        if not result.is_error:
            assert result.structured_content is not None
            return str(result.structured_content["id"])
        assert problem_of(result)["retryable"], result
        await asyncio.sleep(0.05)


class Agreeing:
    """Whoever is asked says yes; before that, the replica that asked may die."""

    def __init__(self, replicas: Replicas, *, dies: bool) -> None:
        self.asked_by: list[int] = []
        self._replicas = replicas
        self._dies = dies

    async def __call__(self, context: object, params: ElicitRequestParams) -> ElicitResult:
        asker = self._replicas.proxy.who_took("tools/call")[-1]
        self.asked_by.append(asker)
        if self._dies:
            self._replicas.programs[asker].kill()
        return ElicitResult(action="accept", content={"go_ahead": True})


class TestConfirmations:
    @pytest.mark.parametrize("dies", [False, True], ids=["both stay", "the asker dies"])
    async def test_a_form_of_one_is_answered_to_the_other(
        self, replicas: Replicas, owner: httpx2.AsyncClient, *, dies: bool
    ) -> None:
        tag_id, name = await new_tag(owner)
        person = Agreeing(replicas, dies=dies)
        async with connected(replicas.mcp, replicas.owner_token, elicitation_callback=person) as client:
            result = await client.call_tool("delete_tag", {"tag_id": tag_id})
        (asker,) = person.asked_by
        if dies:
            await replicas.programs[asker].up()
        assert not result.is_error, result
        assert replicas.proxy.who_took("tools/call") == [asker, 1 - asker]
        assert name not in await tag_names(owner)
        assert await outcomes_of(owner, "tags.delete", tag_id) == {"asked": 1, "done": 1}

    @pytest.mark.parametrize("mode", ERAS)
    @pytest.mark.parametrize("dies", [False, True], ids=["both stay", "the asker dies"])
    async def test_a_token_of_one_is_good_once_at_either(
        self, replicas: Replicas, owner: httpx2.AsyncClient, mode: str, *, dies: bool
    ) -> None:
        tag_id, name = await new_tag(owner)
        async with connected(replicas.mcp, replicas.owner_token, mode) as client:
            asked = problem_of(await client.call_tool("delete_tag", {"tag_id": tag_id}))
            (asker,) = replicas.proxy.who_took("tools/call")
            if dies:
                replicas.programs[asker].kill()
            # Clients list the tools now and then, so whose turn it is would be chance.
            replicas.proxy.turn = 1 - asker
            again = {"tag_id": tag_id, "confirm_token": asked["details"]["confirm_token"]}
            result = await client.call_tool("delete_tag", again)
            assert replicas.proxy.who_took("tools/call") == [asker, 1 - asker]
            if dies:
                await replicas.programs[asker].up()
            assert not result.is_error, result
            for _ in replicas.urls:
                repeated = problem_of(await client.call_tool("delete_tag", again))
                assert repeated["code"] == "CONFIRMATION_INVALID"
        assert name not in await tag_names(owner)
        assert (await outcomes_of(owner, "tags.delete", tag_id))["done"] == 1

    async def test_what_is_asked_at_one_is_approved_at_the_other(
        self, replicas: Replicas, owner: httpx2.AsyncClient
    ) -> None:
        robot, _ = await new_token(owner, supervised=True)
        for asker in (0, 1):
            tag_id, name = await new_tag(owner)
            async with replicas.person() as person, replicas.client(robot, at=asker) as program:
                key = {"idempotency-key": name}
                asked = await program.delete(f"/api/v1/tags/{tag_id}", headers=key)
                approval = f"/api/v1/approvals/{asked.json()['details']['approval_id']}"
                replicas.programs[asker].kill()
                approved = await person.post(f"{approval}/approve", json={})
                assert approved.status_code == 200, approved.text
                assert replicas.proxy.passed[-1].replica == 1 - asker
                await replicas.programs[asker].up()
                replayed = await program.delete(f"/api/v1/tags/{tag_id}", headers=key)
            assert replayed.headers["idempotent-replayed"] == "true"
            assert name not in await tag_names(owner)
            assert (await outcomes_of(owner, "tags.delete", tag_id))["done"] == 1


class Visitor:
    """Somebody who writes on the website, to one replica or the other."""

    def __init__(self, replicas: Replicas, inbox_id: str, token: str) -> None:
        self._replicas = replicas
        self._path = f"/hooks/{inbox_id}"
        self._headers = {"authorization": f"Bearer {token}", "origin": replicas.url}
        self.said: list[str] = []

    async def say(self, *, at: int | None = None) -> None:
        text = uuid4().hex
        async with self._replicas.client(at=at) as http:
            body = {"type": "message", "client_id": text, "text": text}
            answer = await http.post(self._path, json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text
        self.said.append(text)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(replicas: Replicas, owner: httpx2.AsyncClient) -> Visitor:
    (inbox,) = (await got(owner, "/api/v1/inboxes"))["items"]
    headers = {"origin": replicas.url}
    session = (await owner.post(f"/webchat/{inbox['id']}/session", json={}, headers=headers)).json()
    return Visitor(replicas, inbox["id"], session["token"])


async def conversation_of(owner: httpx2.AsyncClient, text: str) -> str:
    """The conversation whose last words these are, as soon as it is there."""
    async with asyncio.timeout(20):
        while True:
            for conversation in (await got(owner, "/api/v1/conversations"))["items"]:
                if text in json.dumps(
                    await got(owner, f"/api/v1/conversations/{conversation['id']}/messages")
                ):
                    return conversation["id"]
            await asyncio.sleep(0.1)


async def heard(subscription: Subscription, uri: str) -> None:
    """Wait until a stream tells of a change of this."""
    async with asyncio.timeout(20):
        async for change in subscription:
            if change == ResourceUpdated(uri):
                return


async def history(client: Client, uri: str) -> list[str]:
    """The words of a conversation, as its resource shows them."""
    (page,) = (await client.read_resource(uri)).contents
    assert isinstance(page, TextResourceContents)
    return [item["content"]["text"] for item in json.loads(page.text)["messages"]["items"]]


class TestSubscriptions:
    async def test_a_message_to_one_is_told_by_the_other(
        self, replicas: Replicas, owner: httpx2.AsyncClient, visitor: Visitor
    ) -> None:
        await visitor.say()
        uri = f"chatwright://conversations/{await conversation_of(owner, visitor.said[0])}/messages"
        async with connected(replicas.mcp, replicas.owner_token) as client:
            async with client.listen(resource_subscriptions=[uri]) as subscription:
                (holder,) = replicas.proxy.who_took("subscriptions/listen")
                for _ in range(2):
                    await visitor.say(at=1 - holder)
                    await heard(subscription, uri)
                    await replicas.strike(1 - holder)
                replicas.programs[holder].kill()
                with pytest.raises(SubscriptionLost):
                    await heard(subscription, uri)
            await visitor.say(at=1 - holder)
            async with client.listen(resource_subscriptions=[uri]) as subscription:
                assert replicas.proxy.who_took("subscriptions/listen")[-1] == 1 - holder
                await replicas.programs[holder].up()
                await visitor.say(at=holder)
                await heard(subscription, uri)
            await conversation_of(owner, visitor.said[-1])
            shown = await history(client, uri)
        assert sorted(shown) == sorted(visitor.said)


async def by_rest(client: httpx2.AsyncClient, key: str) -> dict[str, Any] | None:
    """Make the contact of a key; None when the call has to be made again."""
    try:
        answer = await client.post("/api/v1/contacts", json={"name": key}, headers={"idempotency-key": key})
    except httpx2.TransportError:
        return None
    if answer.status_code in {409, 502, 503}:
        assert answer.status_code == 502 or answer.json()["retryable"], answer.text
        return None
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until_answered(client: httpx2.AsyncClient, key: str) -> dict[str, Any]:
    while (answer := await by_rest(client, key)) is None:
        await asyncio.sleep(0.05)
    return answer


class TestKeys:
    async def test_one_key_at_both_at_once_has_one_effect_and_one_answer(
        self, replicas: Replicas, owner: httpx2.AsyncClient
    ) -> None:
        keys = [uuid4().hex for _ in range(KEYS)]
        token = replicas.owner_token
        async with replicas.client(token, at=0) as one, replicas.client(token, at=1) as two:
            blow: asyncio.Task[None] | None = None
            for number, key in enumerate(keys):
                if number == KEYS // 4:
                    blow = asyncio.create_task(replicas.strike(0))
                first, second = await asyncio.gather(until_answered(one, key), until_answered(two, key))
                assert first == second
            assert blow is not None
            await blow
        counted = Counter(contact["name"] for contact in await all_of(owner, "/api/v1/contacts"))
        assert [counted[key] for key in keys] == [1] * KEYS
        assert (await got(owner, "/api/v1/audit/verification"))["intact"]


async def hammer(http: httpx2.AsyncClient, until: float) -> Counter[int]:
    """Call again and again; gives how many calls had each answer, by its status."""
    answers = Counter[int]()
    while time.monotonic() < until:
        answer = await http.get("/api/v1/workspace")
        answers[answer.status_code] += 1
        if answer.status_code != 200:
            assert answer.status_code in {429, 502}, answer.text
            await asyncio.sleep(0.01)
    return answers


class TestLimits:
    @pytest.mark.parametrize("dies", [False, True], ids=["both stay", "one dies"])
    async def test_they_let_through_what_one_would(
        self, replicas: Replicas, owner: httpx2.AsyncClient, *, dies: bool
    ) -> None:
        token, _ = await new_token(owner, calls_per_minute=PER_MINUTE)
        async with replicas.client(token) as http:
            await http.get("/healthz")
            began = time.monotonic()
            until = began + HAMMERED_SECONDS
            hammers = [asyncio.create_task(hammer(http, until)) for _ in range(HAMMERS)]
            if dies:
                await asyncio.sleep(HAMMERED_SECONDS / 3)
                await replicas.strike(0)
            answers = sum(await asyncio.gather(*hammers), Counter[int]())
            allowed = BURST + PER_MINUTE / 60 * (time.monotonic() - began)
        assert answers[429] > HAMMERS, (
            "so few were refused that nobody knows whether more would have been let through"
        )
        # What broke off when its server died had been let through before, as far as anybody can tell.
        assert answers[200] + answers[502] == pytest.approx(allowed, rel=0.01), answers

    async def test_what_one_revokes_is_refused_by_both_within_a_second(
        self, replicas: Replicas, owner: httpx2.AsyncClient
    ) -> None:
        for number in (0, 1):
            token, token_id = await new_token(owner)
            for url in replicas.urls:
                assert (await ask(f"{url}/mcp", token, **modern("tools/list"))).status_code == 200
            async with replicas.client(replicas.owner_token, at=number) as client:
                assert (await client.delete(f"/api/v1/tokens/{token_id}")).status_code == 200
            # What was revoked stays so past the end of the process that did it.
            blow = asyncio.create_task(replicas.strike(number))
            await asyncio.sleep(LONGEST_BELIEF)
            survivor = replicas.urls[1 - number]
            assert (await ask(f"{survivor}/mcp", token, **modern("tools/list"))).status_code == 401
            await blow
            for url in (replicas.url, *replicas.urls):
                answer = await ask(f"{url}/mcp", token, **modern("tools/list"))
                assert answer.status_code == 401
                assert 'error="invalid_token"' in answer.headers["www-authenticate"]


class TestOAuth:
    async def test_a_code_of_one_is_exchanged_and_renewed_at_the_other(self, replicas: Replicas) -> None:
        async with replicas.person() as browser, replicas.client() as http:
            reader, program = Reader(browser), await registered(http)
            took = _takers(replicas)
            page = await reader.ask(**program.request(resource=replicas.mcp))
            code = answer_of(await reader.decide(page))["code"]
            issuer = took("/oauth/authorize")[-1]
            replicas.programs[issuer].kill()
            issued = await program.exchange(code)
            assert issued.status_code == 200, issued.text
            assert took("/oauth/token") == [1 - issuer]
            await replicas.programs[issuer].up()
            tokens = [issued.json()]
            for _ in range(3):
                renewed = await program.refresh(tokens[-1]["refresh_token"])
                assert renewed.status_code == 200, renewed.text
                tokens.append(renewed.json())
            assert set(took("/oauth/token")) == {0, 1}
            for url in replicas.urls:
                fresh = await ask(f"{url}/mcp", tokens[-1]["access_token"], **modern("tools/list"))
                assert fresh.status_code == 200
            # A code is good once, wherever: who comes with it again ends what was made of it.
            assert (await program.exchange(code)).json()["error"] == "invalid_grant"
            await asyncio.sleep(LONGEST_BELIEF)
            for url in replicas.urls:
                ended = await ask(f"{url}/mcp", tokens[-1]["access_token"], **modern("tools/list"))
                assert ended.status_code == 401


def _takers(replicas: Replicas) -> Callable[[str], list[int]]:
    def took(path: str) -> list[int]:
        return [one.replica for one in replicas.proxy.passed if one.path == path]

    return took
