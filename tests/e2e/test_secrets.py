"""A hundred secrets go through every door, past good and bad providers: none is found where it does not belong."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.telegram.provider import Telegram
from chatwright.sandbox.zalo.provider import Zalo
from tests.e2e.canaries import Canaries, database_dump, mail_parrot, parrot
from tests.e2e.programs import CHATWRIGHT, Home, free_port, web, worker
from tests.e2e.sending import SETTINGS
from tests.sandbox.running import Stage, staged
from tests.surfaces.http.oauth.driving import CHALLENGE, VERIFIER, Reader, answer_of

PLANTED_AT_LEAST = 100
SPARE_TOKENS = 8
LISTS = (
    "/audit",
    "/inboxes",
    "/conversations",
    "/contacts",
    "/approvals",
    "/tokens",
    "/members",
    "/grants",
    "/oauth-clients",
    "/channels",
)
LIST_TOOLS = (
    "list_audit_records",
    "list_inboxes",
    "list_approvals",
    "list_access_tokens",
    "list_channels",
    "list_grants",
)
OPEN_PAGES = (
    "/metrics",
    "/api/v1/openapi.json",
    "/.well-known/oauth-authorization-server",
    "/healthz",
    "/readyz",
)
GREETINGS = ("220 mail.example ESMTP", "* OK IMAP4rev1 ready")
LEAST_SECONDS = 60

pytestmark = pytest.mark.timeout(240)


@dataclass
class Answer:
    """What came back, with all that can be seen of it."""

    about: str
    text: str
    allowed: set[str] = field(default_factory=set[str])
    """Places whose secrets it shows on purpose, and once."""
    refusal: str | None = None
    """Code of the error that it tells, if it is one."""


def refusal_in(answer: httpx2.Response) -> str | None:
    """The code of the error that an answer of ours is, over HTTP or as the result of a tool."""
    try:
        told: object = answer.json()
    except ValueError:
        return None
    match told:
        case {"result": {"isError": True, "content": [{"text": str() as text}]}}:
            told = json.loads(text)
        case _:
            pass
    match told:
        case {"code": str() as code}:
            return code
        case _:
            return None


@dataclass
class House:
    """A product with its log at its most talkative, and providers around it."""

    home: Home
    url: str
    database: "asyncpg.Connection[asyncpg.Record]"
    stage: Stage
    parrot: str
    smtp_port: int
    imap_port: int
    canaries: Canaries
    answers: list[Answer] = field(default_factory=list[Answer])

    def take(self, about: str, answer: httpx2.Response, *allowed: str) -> httpx2.Response:
        """Keep an answer to be searched."""
        text = f"{answer.status_code} {dict(answer.headers)} {answer.text}"
        self.answers.append(Answer(about, text, set(allowed), refusal_in(answer)))
        return answer

    @property
    def logs(self) -> dict[str, str]:
        return {path.name: path.read_text(errors="replace") for path in self.home.folder.glob("*.log")}


@asynccontextmanager
async def _opened(folder: Path) -> AsyncGenerator[House]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CHATWRIGHT_LOG": "debug",
        "CHATWRIGHT_PUBLIC_URL": url,
        "CHATWRIGHT_ALLOWED_HOSTS": "127.0.0.1",
        "CHATWRIGHT_METRICS_TOKEN": "metrics-token-of-the-tests",
    }
    home = Home(folder, settings)
    server, hand = web(home, port), worker(home, 1)
    async with (
        staged([Graph, Telegram, Zalo]) as stage,
        parrot() as repeating,
        mail_parrot(GREETINGS[0]) as smtp_port,
        mail_parrot(GREETINGS[1]) as imap_port,
    ):
        database = await home.connect()
        try:
            await server.up()
            await hand.up()
            yield House(home, url, database, stage, repeating, smtp_port, imap_port, Canaries())
        finally:
            await database.close()
            hand.stop()
            server.stop()


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with _opened(tmp_path) as opened:
        yield opened


def secrets_of(house: House, kind: str, place: str) -> dict[str, Any]:
    """The secret settings of a channel, each a new canary."""

    def new(name: str, form: str = "{}") -> str:
        return house.canaries.new(f"{kind}.{name} {place}", form)

    meta = {
        "access_token": new("access_token", "EAA{}"),
        "app_secrets": [new("app_secret 1"), new("app_secret 2")],
    }
    match kind:
        case "telegram":
            return {"bot_token": new("bot_token", "12345678:AA{}")}
        case "email":
            return {"password": new("password", "p:{}!"), "smtp_password": new("smtp_password", "{} §")}
        case "zalo":
            return {
                name: new(name) for name in ("app_secret", "oa_secret_key", "access_token", "refresh_token")
            }
        case _:
            return meta


def public_of(house: House, kind: str, base: str) -> dict[str, Any]:
    """Its other settings, with the provider at this address."""
    match kind:
        case "whatsapp":
            return {"phone_number_id": "1", "waba_id": "2", "base_url": f"{base}/meta"}
        case "messenger":
            return {"page_id": "1", "app_id": "3", "base_url": f"{base}/meta"}
        case "instagram":
            return {"account_id": "1", "app_id": "3", "base_url": f"{base}/meta"}
        case "telegram":
            return {"base_url": f"{base}/telegram"}
        case "zalo":
            urls = dict.fromkeys(("oauth_url", "api_url", "business_url"), f"{base}/zalo")
            return {"app_id": "1", "oa_id": "2", **urls}
        case _:
            hosts = {"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1"}
            ports = {"imap_port": house.imap_port, "smtp_port": house.smtp_port}
            plain = {"imap_security": "none", "smtp_security": "none"}
            return {"address": "help@example.com", **hosts, **ports, **plain}


CHANNELS = ("whatsapp", "messenger", "instagram", "telegram", "zalo", "email")


class Doors:
    """The ways in, each of which keeps what it answers."""

    def __init__(self, house: House, http: httpx2.AsyncClient, token: str) -> None:
        self.house = house
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}
        self._spare: list[str] = []

    async def take_turns(self, callers: int) -> None:
        """Have further tokens at hand, for calls that one caller may make only so often."""
        for number in range(callers):
            place = f"spare token {number}"
            made = await self.rest("POST", "/tokens", {"name": place}, place)
            self._spare.append(self.house.canaries.add(place, made.json()["token"]))

    def as_(self, token: str) -> "Doors":
        """The same doors for somebody else."""
        return Doors(self.house, self._http, token)

    async def rest(
        self, method: str, path: str, body: object = None, *shown: str, **headers: str
    ) -> httpx2.Response:
        content = None if body is None else json.dumps(body).encode()
        asked = {"content-type": "application/json", **headers}
        return await self._asked(f"{method} {path}", method, f"/api/v1{path}", content, asked, *shown)

    async def mcp(self, tool: str, arguments: Mapping[str, Any], *shown: str) -> dict[str, Any]:
        params = {"name": tool, "arguments": dict(arguments)}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        content = json.dumps(message).encode()
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        answer = await self._asked(f"mcp {tool}", "POST", "/mcp", content, headers, *shown)
        return answer.json()

    async def _asked(
        self,
        about: str,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *shown: str,
    ) -> httpx2.Response:
        """Ask, as the next caller where this one has asked too often."""
        while True:
            sent = {**headers, **self._headers}
            answer = await self._http.request(method, path, content=content, headers=sent)
            self.house.take(about, answer, *shown)
            if refusal_in(answer) != "RATE_LIMIT_EXCEEDED":
                return answer
            self._headers = {"authorization": f"Bearer {self._spare.pop()}"}

    async def look(self, path: str) -> httpx2.Response:
        """Read what there is to read; an answer that was refused would hide nothing."""
        answer = await self.rest("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer

    async def look_through(self, path: str) -> int:
        """Read all pages of a list; says how many items it has."""
        page = (await self.look(f"{path}?limit=200")).json()
        items = len(page["items"])
        while page["next_cursor"] is not None:
            page = (await self.look(f"{path}?limit=200&cursor={page['next_cursor']}")).json()
            items += len(page["items"])
        return items

    async def see(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a tool has to show, as a value."""
        answer = await self.mcp(tool, arguments)
        assert "structuredContent" in answer.get("result", {}), f"{tool}: {answer}"
        return answer["result"]["structuredContent"]

    async def see_through(self, tool: str) -> int:
        """Likewise all pages of a list; says how many items it has."""
        page = await self.see(tool, {"limit": 50})
        items = len(page["items"])
        while cursor := page.get("next_cursor"):
            page = await self.see(tool, {"limit": 50, "cursor": cursor})
            items += len(page["items"])
        return items

    async def cli(self, *words: str) -> None:
        """The command line, whose profile the server left."""

        def run() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [CHATWRIGHT, *words],
                env=self.house.home.environment(),
                capture_output=True,
                text=True,
                timeout=LEAST_SECONDS,
                check=False,
            )

        done = await asyncio.to_thread(run)
        self.house.answers.append(Answer(f"chatwright {words[0]} {words[1]}", done.stdout + done.stderr))


async def connect_well(doors: Doors) -> None:
    """Inboxes that work: their providers take the secrets, and a message goes in and out."""
    house = doors.house
    for kind, settings_of in SETTINGS.items():
        account = await house.stage.account(kind)
        settings = settings_of(account, house.stage.url)
        for name, secret in account["secrets"].items():
            if name != "app_id" and json.dumps(secret) in json.dumps(settings) and len(secret) >= 16:
                house.canaries.add(f"{kind}.{name} of a good account", secret)
        call = {"channel": kind, "name": kind, "settings": settings}
        connected = await doors.rest("POST", "/inboxes/connect", call)
        assert connected.status_code == 200, connected.text
        inbox_id = connected.json()["inbox"]["id"]
        checked = await doors.rest("POST", f"/inboxes/{inbox_id}/check")
        assert checked.status_code == 200, checked.text
        if kind == "telegram":
            await _send_badly(doors, account, inbox_id)


async def _send_badly(doors: Doors, bot: dict[str, Any], inbox_id: str) -> None:
    """Send through a provider that repeats the bot's token in its refusal."""
    house = doors.house
    person = await house.stage.person(bot)
    await house.stage.act(bot, person, "say", text="Hello")
    conversations: list[dict[str, Any]] = []
    while not conversations:
        await asyncio.sleep(0.1)
        page = await doors.look(f"/conversations?inbox_id={inbox_id}")
        conversations = page.json()["items"]
    elsewhere = {"base_url": f"{house.parrot}/refuse/telegram", "bot_token": bot["secrets"]["token"]}
    moved = await doors.mcp("update_inbox", {"inbox_id": inbox_id, "settings": elsewhere})
    assert not moved["result"].get("isError"), moved
    path = f"/conversations/{conversations[0]['id']}/messages"
    sent = await doors.rest("POST", path, {"text": "Goodbye"})
    while True:
        shown = await doors.look(f"/messages/{sent.json()['id']}")
        if shown.json()["message"]["status"] in {"failed", "unknown"}:
            break
        await asyncio.sleep(0.1)
    assert "***" in shown.text


async def connect_everything(doors: Doors) -> None:
    """Every channel with its secrets, at providers that refuse, babble, send away and say nothing."""
    house = doors.house
    for kind in CHANNELS:
        for number, way in enumerate(("refuse", "babble", "away")):
            base = f"{house.parrot}/{way}"
            settings = {**public_of(house, kind, base), **secrets_of(house, kind, f"at a provider: {way}")}
            call = {"channel": kind, "name": kind, "settings": settings}
            if number == 1:
                await doors.mcp("connect_inbox", call)
            else:
                await doors.rest("POST", "/inboxes/connect", call)
    hanging = {
        **public_of(house, "telegram", f"{house.parrot}/hang"),
        **secrets_of(house, "telegram", "in time-out"),
    }
    await doors.rest("POST", "/inboxes/connect", {"channel": "telegram", "name": "t", "settings": hanging})


async def keep_without_asking(doors: Doors) -> None:
    """Inboxes that are kept, with keys, tried, changed, and checked afterwards."""
    house = doors.house
    for kind in CHANNELS:
        settings = {
            **public_of(house, kind, f"{house.parrot}/refuse"),
            **secrets_of(house, kind, "kept with a key"),
        }
        call = {"channel": kind, "name": f"kept {kind}", "settings": settings}
        made = await doors.rest("POST", "/inboxes", call, **{"idempotency-key": f"keep {kind}"})
        assert made.status_code == 200, made.text
        replayed = await doors.rest("POST", "/inboxes", call, **{"idempotency-key": f"keep {kind}"})
        assert replayed.headers["idempotent-replayed"] == "true"
        inbox_id = made.json()["id"]
        checked = await doors.rest("POST", f"/inboxes/{inbox_id}/check")
        assert checked.status_code == 200, checked.text
        changed = {"settings": secrets_of(house, kind, "in a change")}
        await doors.see("update_inbox", {"inbox_id": inbox_id, **changed})
        renewed = {"inbox_id": inbox_id, "settings": secrets_of(house, kind, "renewed")}
        await doors.mcp("reconnect_inbox", renewed)
        await doors.look(f"/inboxes/{inbox_id}")
        await doors.see("get_inbox", {"inbox_id": inbox_id})


async def _spoil(doors: Doors, kind: str) -> None:
    """Secrets in wrong places, and beside what does not fit."""
    house = doors.house

    def wrong(place: str) -> str:
        return house.canaries.new(f"{kind}: {place}", "Xy{}Z")

    public, fine = public_of(house, kind, house.parrot), secrets_of(house, kind, "beside what does not fit")
    name = next(iter(fine))
    bodies: list[dict[str, Any]] = [
        {"channel": kind, "name": "x", "settings": {**public, **fine, "verify": wrong("an unknown field")}},
        {"channel": kind, "name": "x", "settings": {**public, **fine, wrong("the name of a field"): 1}},
        {"channel": kind, "name": "x", "settings": {**public, **fine, name: {"value": wrong("an object")}}},
        {"channel": kind, "name": "x", "settings": {**public, **fine, name: [[wrong("a list")]]}},
        {"channel": kind, "name": "x", "settings": {key: wrong(f"all fields, {key}") for key in public}},
        {"channel": wrong("the channel"), "name": "x", "settings": {**public, **fine}},
        {"channel": kind, "name": ["x", wrong("a list as name")], "settings": {}},
        {"channel": kind, "name": "x", "settings": wrong("text for settings")},
        {"channel": kind, "name": "x", wrong("an unknown argument's name"): 1},
        {"channel": kind, "name": "x", "access_token": wrong("an unknown argument")},
    ]
    for number, body in enumerate(bodies):
        if number % 2:
            await doors.mcp("create_inbox", body)
            await doors.mcp("run_write_tool", {"tool": "create_inbox", "arguments": body})
        else:
            await doors.rest("POST", "/inboxes", body)


async def paste_wrongly(doors: Doors) -> None:
    """Secrets in places that are made for something else."""
    house = doors.house

    def new(place: str, form: str = "{}") -> str:
        return house.canaries.new(place, form)

    for kind in CHANNELS:
        await _spoil(doors, kind)
    for kind in ("telegram", "whatsapp", "messenger", "instagram", "zalo"):
        login = new(f"{kind}: user info of an address", "user:{}")
        public = {
            key: value.replace("http://", f"http://{login}@") if isinstance(value, str) else value
            for key, value in public_of(house, kind, house.parrot).items()
        }
        settings = {**public, **secrets_of(house, kind, "beside an address with a login")}
        await doors.rest("POST", "/inboxes", {"channel": kind, "name": "x", "settings": settings})
        query = new(f"{kind}: query of an address", "?access_token={}")
        public = {key: f"{value}{query}" if "url" in key else value for key, value in public.items()}
        await doors.mcp("connect_inbox", {"channel": kind, "name": "x", "settings": public | settings})
    await doors.rest("GET", f"/contacts?cursor={new('a cursor')}")
    await doors.rest("GET", f"/inboxes/{new('an id in a path')}")
    await doors.rest("GET", f"/workspace?access_token={new('a token in a query')}")
    await doors.mcp(new("the name of a tool"), {})
    await doors.mcp("get_inbox", {"inbox_id": new("an id")})
    await doors.mcp("delete_tag", {"tag_id": str(uuid4()), "confirm_token": new("a confirm token")})
    await doors.mcp("run_read_tool", {"tool": new("the name of a tool to run"), "arguments": {}})
    stranger = doors.as_(new("an unknown token", "cw_{}"))
    await stranger.rest("GET", "/workspace")
    await stranger.mcp("get_workspace", {})
    broken = '{"channel": "telegram", "settings": {"bot_token": "' + new("broken JSON")
    async with httpx2.AsyncClient(base_url=house.url) as http:
        owner = {"authorization": f"Bearer {house.home.token()}", "content-type": "application/json"}
        house.take("broken", await http.post("/api/v1/inboxes", content=broken.encode(), headers=owner))
        house.take("broken mcp", await http.post("/mcp", content=broken.encode(), headers=owner))
        for name in ("access_token", "token", "api_key"):
            address = f"/mcp?{name}={new(f'an address of MCP, {name}')}"
            house.take("address", await http.post(address, json={}, headers=owner))
        for scheme in ("Basic", "Token", "Bearer  x"):
            headers = {"authorization": f"{scheme} {new(f'another scheme: {scheme}')}"}
            house.take("scheme", await http.get("/api/v1/workspace", headers=headers))
        house.take(
            "cookie",
            await http.get("/api/v1/workspace", headers={"cookie": f"chatwright_session={new('a cookie')}"}),
        )
        person = {"email": "nobody@example.com", "password": new("a password")}
        house.take("sign-in", await http.post("/auth/sign-in", json=person, headers={"origin": house.url}))
        joining = {
            "link": new("a link"),
            "email": "n@example.com",
            "name": "N",
            "password": new("a new password"),
        }
        house.take("join", await http.post("/auth/join", json=joining, headers={"origin": house.url}))
        form = {"grant_type": "authorization_code", "code": new("a code"), "code_verifier": new("a verifier")}
        house.take(
            "code", await http.post("/oauth/token", data={**form, "client_id": "cwc_x", "redirect_uri": "x"})
        )
        form = {"grant_type": "refresh_token", "refresh_token": new("a refresh token"), "client_id": "x"}
        house.take("refresh", await http.post("/oauth/token", data=form))
        form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": new("a client secret")}
        house.take("machine", await http.post("/oauth/token", data=form))
        for path in ("/oauth/revoke", "/oauth/introspect"):
            house.take(
                path, await http.post(path, data={"token": new(f"a token at {path}"), "client_id": "x"})
            )
        register = {
            "client_name": "x",
            "redirect_uris": ["https://a.example/x"],
            "client_secret": new("registered"),
        }
        house.take("register", await http.post("/oauth/register", json=register))
        for path in ("/u/{}", "/files/{}", "/join#{}"):
            house.take(path, await http.get(path.format(new(f"a link of {path}"))))
        inbox_id = (await http.get("/api/v1/inboxes", headers=owner)).json()["items"][0]["id"]
        for channel_header in (
            "x-hub-signature-256",
            "x-telegram-bot-api-secret-token",
            "x-zevent-signature",
        ):
            headers = {channel_header: new(f"a hook's {channel_header}")}
            house.take("hook", await http.post(f"/hooks/{inbox_id}", json={}, headers=headers))
        verify = {"hub.mode": "subscribe", "hub.verify_token": new("a verify token"), "hub.challenge": "1"}
        house.take("handshake", await http.get(f"/hooks/{inbox_id}", params=verify))


async def use_the_command_line(doors: Doors) -> None:
    house = doors.house
    refused = {
        **public_of(house, "telegram", f"{house.parrot}/refuse"),
        **secrets_of(house, "telegram", "by CLI"),
    }
    words = ("--channel", "telegram", "--name", "x", "--settings", json.dumps(refused))
    await doors.cli("inboxes", "connect", *words)
    await doors.cli("inboxes", "create", *words, "--json")
    broken = {
        **refused,
        "bot_token": house.canaries.new("a wrong type by CLI"),
        "other": [house.canaries.new("CLI")],
    }
    await doors.cli(
        "inboxes", "create", "--channel", "telegram", "--name", "x", "--settings", json.dumps(broken)
    )
    await doors.cli(
        "inboxes", "create", "--channel", "telegram", "--settings", "{" + house.canaries.new("bad JSON")
    )


async def be_supervised(doors: Doors) -> None:
    """Calls with secrets that wait for a person, and such that are only tried."""
    house = doors.house
    made = await doors.rest("POST", "/tokens", {"name": "robot", "supervised": True}, "robot's token")
    assert made.status_code == 200, made.text
    robot = doors.as_(house.canaries.add("robot's token", made.json()["token"]))
    for kind in CHANNELS:
        public = public_of(house, kind, f"{house.parrot}/refuse")
        call = {
            "channel": kind,
            "name": kind,
            "settings": {**public, **secrets_of(house, kind, "in the queue")},
        }
        asked = await robot.rest("POST", "/inboxes/connect", call)
        assert asked.json()["code"] == "APPROVAL_REQUIRED", asked.text
        approval_id = asked.json()["details"]["approval_id"]
        await doors.look(f"/approvals/{approval_id}")
        await doors.see("get_approval", {"approval_id": approval_id})
        tried = {
            "channel": kind,
            "name": kind,
            "settings": {**public, **secrets_of(house, kind, "in a trial")},
        }
        trial = await doors.rest("POST", "/inboxes/connect", tried, **{"dry-run": "true"})
        assert trial.status_code == 200, trial.text
        await doors.see("connect_inbox", {**tried, "dry_run": True})


async def crash(doors: Doors) -> None:
    """The database fails in the midst of calls that carry secrets."""
    house = doors.house
    settings = {**public_of(house, "telegram", house.parrot), **secrets_of(house, "telegram", "in a crash")}
    call = {"channel": "telegram", "name": "x", "settings": settings}
    await house.database.execute("alter table inboxes rename to inboxes_gone")
    try:
        crashed = await doors.rest("POST", "/inboxes", call)
        await doors.mcp("create_inbox", call)
    finally:
        await house.database.execute("alter table inboxes_gone rename to inboxes")
    assert crashed.status_code == 500
    await house.database.execute("alter table access_tokens rename to tokens_gone")
    try:
        stranger = doors.as_(house.canaries.new("a token in a crash", "cw_{}"))
        assert (await stranger.rest("GET", "/workspace")).status_code == 500
        await stranger.rest("POST", "/inboxes", call)
    finally:
        await house.database.execute("alter table tokens_gone rename to access_tokens")


async def make_secrets(doors: Doors) -> None:
    """What the product itself makes and shows once: tokens, links, codes, states."""
    house, add = doors.house, doors.house.canaries.add
    for number, key in enumerate(("a key", "another key")):
        place = f"token {number}"
        made = await doors.rest("POST", "/tokens", {"name": "x"}, place, **{"idempotency-key": key})
        add(place, made.json()["token"])
    again = await doors.rest("POST", "/tokens", {"name": "x"}, "token 0", **{"idempotency-key": "a key"})
    assert again.headers["idempotent-replayed"] == "true"
    email = f"{uuid4().hex}@example.com"
    invited = await doors.rest(
        "POST", "/members/invitations", {"email": email, "role": "owner"}, "invitation"
    )
    link = add("invitation", invited.json()["path"].partition("#")[2])
    async with httpx2.AsyncClient(base_url=house.url, headers={"origin": house.url}) as browser:
        password = house.canaries.new("a member's password", "pass {}")
        words = {"link": link, "email": email, "name": "Mai", "password": password}
        joined = await browser.post("/auth/join", json=words)
        for name, text in browser.cookies.items():
            add(f"cookie {name}", text)
        house.take("join", joined, *(f"cookie {name}" for name in browser.cookies))
        await _grant(doors, browser)
        connections = house.take("connections", await browser.get("/api/v1/connections"))
        assert connections.json()["items"], connections.text
    machine = await doors.rest("POST", "/oauth-clients", {"name": "machine"}, "a machine's secret")
    add("a machine's secret", machine.json()["client_secret"])
    asked = await doors.mcp("delete_tag", {"tag_id": await _tag(doors)}, "confirm token")
    problem = json.loads(asked["result"]["content"][0]["text"])
    token = add("confirm token", problem["details"]["confirm_token"])
    await doors.mcp("delete_tag", {"tag_id": str(uuid4()), "confirm_token": token})


async def _tag(doors: Doors) -> str:
    return (await doors.rest("POST", "/tags", {"name": uuid4().hex})).json()["id"]


async def _grant(doors: Doors, browser: httpx2.AsyncClient) -> None:
    house, add = doors.house, doors.house.canaries.add
    back = "https://app.example/callback"
    for method in ("none", "client_secret_post"):
        told = {"client_name": method, "redirect_uris": [back], "token_endpoint_auth_method": method}
        client = (await browser.post("/oauth/register", json=told)).json()
        request = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": back,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": f"{house.url}/mcp",
            "state": house.canaries.new(f"state of {method}"),
        }
        reader = Reader(browser)
        code = add(f"code of {method}", answer_of(await reader.decide(await reader.ask(**request)))["code"])
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": back,
        }
        known = {"client_id": client["client_id"]}
        if secret := client.get("client_secret"):
            known["client_secret"] = add(f"secret of {method}", secret)
        for _ in range(2):
            issued = await browser.post("/oauth/token", data={**form, **known})
            if issued.status_code == 200:
                tokens = issued.json()
                add(f"access of {method}", tokens["access_token"])
                add(f"refresh of {method}", tokens["refresh_token"])
            house.take(f"token of {method}", issued, f"access of {method}", f"refresh of {method}")


async def look_everywhere(doors: Doors) -> None:
    """All that anybody can read afterwards."""
    house = doors.house
    counted = {path: await doors.look_through(path) for path in LISTS}
    assert {path: items for path, items in counted.items() if not items} == {}
    await doors.look("/audit/export")
    seen = {tool: await doors.see_through(tool) for tool in LIST_TOOLS}
    assert {tool: items for tool, items in seen.items() if not items} == {}
    async with httpx2.AsyncClient(base_url=house.url) as http:
        metrics = {"authorization": "Bearer metrics-token-of-the-tests"}
        for path in OPEN_PAGES:
            headers = metrics if path == "/metrics" else None
            answer = house.take(path, await http.get(path, headers=headers))
            assert answer.status_code == 200, f"{path}: {answer.text}"


def leaks(house: House, dump: Mapping[str, str]) -> list[str]:
    """Where secrets were found that should not be there."""
    found: list[str] = []
    for where, text in {**dump, **house.logs}.items():
        found += [f"{where}: {place}" for place in sorted(house.canaries.found_in(text))]
    for answer in house.answers:
        shown = house.canaries.found_in(answer.text) - answer.allowed
        found += [f"answer to {answer.about}: {place}" for place in sorted(shown)]
    return found


async def test_no_planted_secret_is_found_anywhere(house: House) -> None:
    # A server that crashed closes the connection, so no call shares one with another.
    alone = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(base_url=house.url, timeout=LEAST_SECONDS, limits=alone) as http:
        owner = house.canaries.add("the owner's token", house.home.token())
        doors = Doors(house, http, owner)
        await doors.take_turns(SPARE_TOKENS)
        await make_secrets(doors)
        await connect_well(doors)
        await connect_everything(doors)
        await keep_without_asking(doors)
        await paste_wrongly(doors)
        await use_the_command_line(doors)
        await be_supervised(doors)
        await crash(doors)
        await look_everywhere(doors)
    dump = await database_dump(house.database)
    assert len(house.canaries.by_core) >= PLANTED_AT_LEAST
    assert sum(len(text) for text in dump.values()) > 10_000
    assert any("operation.crashed" in text for text in house.logs.values())
    # Refused for another reason than its secret, a call would have carried that nowhere.
    stopped = {"INSUFFICIENT_SCOPE", "OUTSIDE_GRANT"}
    assert [answer.about for answer in house.answers if answer.refusal in stopped] == []
    found = leaks(house, dump)
    assert not found, "\n".join(found)


def test_a_secret_is_found_in_every_form() -> None:
    canaries = Canaries()
    secret = canaries.new("here", "a:{}").encode()
    assert canaries.found_in(f"..{secret.decode()}..") == {"here"}
    assert canaries.found_in(secret.hex()) == {"here"}
    for before in (b"", b"x", b"xy", b"xyz"):
        assert canaries.found_in(base64.b64encode(before + secret + before).decode()) == {"here"}
    assert canaries.found_in("nothing") == set()
