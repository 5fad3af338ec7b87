"""`chatwright up` on a machine that has never seen it."""

import asyncio
import json
import re
import signal
import stat
import subprocess
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.e2e.programs import CHATWRIGHT, Home, Program, free_port, worker

UP = "Stop with Ctrl-C."
"""The last line of the start screen."""


class Machine:
    """A data folder, a configuration, and `up` on one port."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = Program(self.home, "up", "up", *self.place(), sign=UP)

    def place(self) -> tuple[str, ...]:
        return ("--port", str(self.port), "--data", str(self.home.data))

    def screen(self, start: int = 1) -> str:
        """What a start printed, with its logs."""
        return (self.home.folder / f"up-{start}.log").read_text()

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run another command to its end."""
        return subprocess.run(
            [CHATWRIGHT, *words],
            env={**self.home.environment(), **environment},
            cwd=self.home.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.program.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Machine]:
    """A machine on which `up` runs, for the tests that leave it running."""
    machine = Machine(tmp_path_factory.mktemp("running"))
    await machine.program.up()
    yield machine
    machine.program.stop()


async def test_the_first_start_leaves_nothing_to_do(running: Machine) -> None:
    profile = running.home.folder / "profiles.json"
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600

    async with httpx2.AsyncClient(base_url=running.url) as visitor:
        for path in ("/", "/demo", "/widget.js", "/healthz", "/api/v1/openapi.json"):
            assert (await visitor.get(path)).status_code == 200, path
        for path in ("/api/v1/workspace", "/mcp"):
            assert (await visitor.post(path, json={})).status_code in {401, 405}, path
        assert (await visitor.get("/api/v1/workspace")).status_code == 401

        made = running.json("token", "create", "--name", "n8n", "--scopes", "inboxes:read", "--read-only")
        bearer = {"authorization": f"Bearer {made['token']}"}
        inboxes = (await visitor.get("/api/v1/inboxes", headers=bearer)).json()["items"]
        assert [inbox["channel"] for inbox in inboxes] == ["webchat"]
        assert (await visitor.get("/api/v1/tokens", headers=bearer)).status_code == 403


async def test_the_printed_link_makes_the_owner_and_is_printed_once(machine: Machine) -> None:
    await machine.program.up()
    (link,) = re.findall(rf"{machine.url}/join#(\S+)", machine.screen(1))
    machine.program.stop()
    await machine.program.up()
    assert "/join#" not in machine.screen(2)

    person = {"link": link, "email": "ann@shop.example", "name": "Ann", "password": "correct horse battery"}
    async with httpx2.AsyncClient(base_url=machine.url, headers={"origin": machine.url}) as browser:
        answer = await browser.post("/auth/join", json=person)
        assert answer.is_success, answer.text
        assert (await browser.get("/api/v1/members")).json()["items"][0]["role"] == "owner"
        assert (await browser.post("/auth/join", json=person)).status_code == 422
    machine.program.stop()
    await machine.program.up()
    assert "/join#" not in machine.screen(3)


async def test_the_printed_mcp_configuration_works_as_pasted(running: Machine) -> None:
    text = running.screen()
    configuration = json.JSONDecoder().raw_decode(text, text.index("{\n"))[0]
    entry = configuration["mcpServers"]["chatwright"]
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1"},
        },
    }
    # As MCP clients do: with the entry's environment and hardly anything of ours.
    done = await asyncio.to_thread(
        subprocess.run,
        [entry["command"], *entry["args"]],
        env=entry["env"],
        cwd="/",
        input=json.dumps(hello) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert answer["result"]["serverInfo"]["name"] == "chatwright"


async def test_a_power_cut_loses_nothing(machine: Machine) -> None:
    await machine.program.up()
    token = machine.home.token()
    made = machine.json("inboxes", "create", "--channel", "webchat", "--name", "Shop")
    machine.program.kill()
    await machine.program.up()
    assert machine.json("inboxes", "get", made["id"]) == made
    assert machine.home.token() == token
    assert machine.json("audit", "verify")["intact"]
    machine.program.stop()
    assert not (machine.home.data / "postgres" / "postmaster.pid").exists()


async def test_a_token_that_was_revoked_is_replaced_at_the_next_start(machine: Machine) -> None:
    await machine.program.up()
    token = machine.home.token()
    (own,) = machine.json("token", "list")["items"]
    machine.json("token", "revoke", own["id"])
    assert machine.run("workspace", "get").returncode == 3
    machine.program.stop()
    await machine.program.up()
    assert machine.home.token() != token
    assert machine.run("workspace", "get").returncode == 0


async def test_other_profiles_stay_as_they_are(machine: Machine) -> None:
    machine.run("profile", "add", "shop", "--url", "https://chat.example", "--token", "cw_shop")
    await machine.program.up()
    assert [item["name"] for item in machine.json("profile", "list")["items"]] == ["shop", "local"]
    assert machine.run("workspace", "get").returncode == 7
    assert machine.run("--profile", "local", "workspace", "get").returncode == 0
    assert '"--profile"' in machine.screen()


def test_two_on_one_port(running: Machine) -> None:
    for command in ("up", "serve"):
        done = running.run(command, *running.place())
        assert done.returncode == 5
        assert done.stderr.startswith("PORT_IN_USE: ")
        assert str(running.port) in done.stderr
        assert "Traceback" not in done.stderr


async def test_processes_share_the_database_of_a_data_folder(machine: Machine) -> None:
    await machine.program.up()
    server = postmaster(machine.home)
    with_it = await worker(machine.home, 1).up()
    assert postmaster(machine.home) == server
    with_it.stop()
    assert machine.run("workspace", "get").returncode == 0
    with_it.start()
    await with_it.ready()
    machine.program.stop()
    assert postmaster(machine.home) == server
    with_it.stop()
    assert not (machine.home.data / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_even_while_somebody_listens(machine: Machine, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        CHATWRIGHT,
        "up",
        *machine.place(),
        env=machine.home.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    await process.stdout.readuntil(UP.encode())
    bearer = {"authorization": f"Bearer {machine.home.token()}"}
    async with (
        httpx2.AsyncClient(base_url=machine.url, headers=bearer) as browser,
        browser.stream("GET", "/api/v1/events") as stream,
    ):
        assert stream.status_code == 200
        process.send_signal(number)
        # Half of what supervisors give a program before they kill it.
        async with asyncio.timeout(5):
            rest = await process.stdout.read()
            assert await process.wait() == 0
    assert b"Traceback" not in rest
    assert not (machine.home.data / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize(
    ("environment", "code", "exit_code"),
    [
        ({"CHATWRIGHT_LOG": "loud"}, "MISCONFIGURED", 1),
        ({"CHATWRIGHT_KEY": "c2hvcnQ="}, "MISCONFIGURED", 1),
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/nobody"}, "MISCONFIGURED", 1),
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/nobody", "CHATWRIGHT_KEY": "good"}, "UNAVAILABLE", 7),
        ({"DATABASE_URL": "mysql://127.0.0.1/x", "CHATWRIGHT_KEY": "good"}, "MISCONFIGURED", 1),
    ],
    ids=["log level", "weak key", "no key", "no database", "no PostgreSQL"],
)
def test_settings_that_cannot_work(
    machine: Machine, environment: dict[str, str], code: str, exit_code: int
) -> None:
    if environment.get("CHATWRIGHT_KEY") == "good":
        environment = {**environment, "CHATWRIGHT_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
    done = machine.run("up", *machine.place(), **environment)
    assert done.stderr.startswith(f"{code}: "), done.stderr
    assert done.returncode == exit_code
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_is_a_file(machine: Machine) -> None:
    machine.home.data.write_text("")
    done = machine.run("up", *machine.place())
    assert done.stderr.startswith("MISCONFIGURED: ")
    assert done.returncode == 1


def postmaster(home: Home) -> str:
    """The process id of the folder's PostgreSQL."""
    return (home.data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
