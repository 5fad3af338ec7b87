"""Every operation as a command."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.operations import list_audit, list_tokens, revoke_token
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import (
    ChatwrightError,
    Internal,
    PayloadTooLarge,
    RateLimitExceeded,
    Unavailable,
)
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.cli.options import kebab, options_of
from tests.conftest import Desk
from tests.serving import serving
from tests.surfaces.cli.conftest import Shell, run, token_of

SHOWN = [operation for operation in CATALOGUE if Surface.CLI in operation.surfaces]
OWN_FLAGS = {"--json", "--all", "--idempotency-key", "--help", "--profile", "--version"}


class TestHelp:
    @pytest.mark.parametrize("operation", SHOWN, ids=lambda operation: operation.name)
    def test_every_operation_explains_its_fields(self, operation: AnyOperation) -> None:
        options = options_of(operation)
        words = (kebab(operation.noun), kebab(operation.verb), "--help")
        done = run(words, None, {})
        assert done.code == 0
        assert operation.summary in " ".join(done.out.split())
        assert {option.field for option in options} == set(operation.input.model_fields)
        for option in options:
            name = option.field.upper() if option.positional else option.flag
            assert name in done.out
            assert option.flag not in OWN_FLAGS

    async def test_help_needs_no_server(self, bare_shell: Shell) -> None:
        done = await bare_shell("--help")
        assert done.code == 0
        for name in ("up", "serve", "work", "mcp", "token", "contacts", "audit", "profile"):
            assert f"\n  {name} " in done.out

    async def test_version(self, bare_shell: Shell) -> None:
        done = await bare_shell("--version")
        assert (done.code, done.out.split()[0]) == (0, "chatwright")


class TestFields:
    async def test_lists_are_repeated_or_separated_by_commas(self, shell: Shell) -> None:
        done = await shell(
            "token", "create", "--name", "n8n", "--scopes", "contacts:read,inboxes:read", "--scopes",
            '["workspace:read"]', "--read-only", "--json",
        )  # fmt: skip
        assert done.code == 0
        granted = done.json["access_token"]
        assert granted["scopes"] == ["contacts:read", "inboxes:read", "workspace:read"]
        assert granted["read_only"] is True

    async def test_nested_values_are_json_or_a_file(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({"greeting": "Chào bạn"}))
        for settings, given in (
            ('{"greeting": "Chào bạn"}', None),
            (f"@{file}", None),
            ("@-", file.read_text()),
        ):
            done = await shell(
                "inboxes", "create", "--channel", "webchat", "--name", "Shop", "--settings", settings, "--json",
                given=given,
            )  # fmt: skip
            assert done.code == 0, done.err
            assert done.json["settings"]["greeting"] == "Chào bạn"

    async def test_a_single_id_needs_no_option(self, shell: Shell) -> None:
        made = await shell("inboxes", "create", "--channel", "webchat", "--name", "Shop", "--json")
        shown = await shell("inboxes", "get", made.json["id"], "--json")
        assert shown.json == made.json

    async def test_what_is_left_out_is_not_sent(self, shell: Shell) -> None:
        made = await shell("inboxes", "create", "--channel", "webchat", "--name", "Shop", "--json")
        changed = await shell("inboxes", "update", made.json["id"], "--name", "Store", "--json")
        assert changed.json == {**made.json, "name": "Store"}

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["inboxes", "create", "--name", "x"], "--channel"),
            (["inboxes", "create", "--channel", "webchat", "--name", "x", "--settings", "{"], "--settings"),
            (
                ["inboxes", "create", "--channel", "webchat", "--name", "x", "--settings", "@/no/such"],
                "--settings",
            ),
            (["inboxes", "get"], "INBOX_ID"),
            (["inboxes", "list", "--limit", "many"], "--limit"),
            (["conversations", "list", "--state", "lost"], "--state"),
            (["inboxes", "fly"], "fly"),
            (["nothing", "here"], "nothing"),
        ],
    )
    async def test_what_cannot_be_meant_never_leaves_the_shell(
        self, bare_shell: Shell, words: list[str], complaint: str
    ) -> None:
        done = await bare_shell(*words)
        assert done.code == 2
        assert complaint in done.err
        assert "NO_PROFILE" not in done.err


class TestPages:
    async def test_all_follows_the_cursors(self, desk: Desk, shell: Shell) -> None:
        for name in ("a", "b", "c"):
            await shell("token", "create", "--name", name)
        one = await shell("token", "list", "--limit", "1", "--json")
        assert len(one.json["items"]) == 1
        assert one.json["next_cursor"] is not None
        every = await shell("token", "list", "--limit", "1", "--all", "--json")
        assert every.json["items"] == (await desk.call(list_tokens))["items"]
        assert every.json["next_cursor"] is None

    async def test_a_cursor_from_the_page_before_goes_on(self, shell: Shell) -> None:
        await shell("token", "create", "--name", "second")
        first = await shell("token", "list", "--limit", "1", "--json")
        second = await shell("token", "list", "--limit", "1", "--cursor", first.json["next_cursor"], "--json")
        assert [item["name"] for item in second.json["items"]] == ["second"]


class TestCalls:
    async def test_the_audit_trail_tells_the_command_line_apart(self, desk: Desk, shell: Shell) -> None:
        assert (await shell("workspace", "update", "--name", "Mine")).code == 0
        record = (await desk.call(list_audit))["items"][0]
        assert (record["operation"], record["surface"]) == ("workspace.update", "cli")
        assert record["client"].startswith("chatwright-cli/")

    async def test_a_key_makes_a_repetition_harmless(self, shell: Shell) -> None:
        words = ("token", "create", "--name", "n8n", "--json", "--idempotency-key", "k1")
        assert (await shell(*words)).json == (await shell(*words)).json

    async def test_without_a_key_each_call_counts(self, shell: Shell) -> None:
        words = ("token", "create", "--name", "n8n", "--json")
        assert (await shell(*words)).json["token"] != (await shell(*words)).json["token"]

    async def test_a_scope_limits_the_command_line_too(self, desk: Desk, shell: Shell) -> None:
        shell.know(read_url(shell), await token_of(desk, scopes=["contacts:read"]))
        done = await shell("token", "list")
        assert done.code == 3
        assert done.err.startswith("INSUFFICIENT_SCOPE: ")
        assert "tokens:read" in done.err


class TestFailures:
    async def test_not_found(self, shell: Shell) -> None:
        done = await shell("inboxes", "get", str(new_id()))
        assert (done.code, done.out) == (4, "")
        assert done.err.startswith("INBOX_NOT_FOUND: ")
        assert "request id: " in done.err

    async def test_wrong_input_names_the_field(self, shell: Shell) -> None:
        done = await shell("inboxes", "get", "not-an-id")
        assert done.code == 2
        assert done.err.startswith("INVALID_ARGUMENT: ")
        assert done.err.count("inbox_id: This is no id") == 1

    async def test_a_conflict(self, shell: Shell) -> None:
        await shell("token", "create", "--name", "a", "--idempotency-key", "k1")
        done = await shell("token", "create", "--name", "b", "--idempotency-key", "k1")
        assert done.code == 5
        assert done.err.startswith("IDEMPOTENCY_CONFLICT: ")
        assert "hint: " in done.err

    async def test_a_revoked_token(self, desk: Desk, shell: Shell) -> None:
        made = await shell("token", "create", "--name", "short", "--json")
        shell.know(read_url(shell), made.json["token"])
        await desk.call(revoke_token, token_id=made.json["access_token"]["id"])
        done = await shell("workspace", "get")
        assert done.code == 3
        assert done.err.startswith("UNAUTHENTICATED: ")

    async def test_no_server(self, shell: Shell) -> None:
        # Port 9 (discard) is served by nobody here.
        shell.know("http://127.0.0.1:9", "cw_none")
        done = await shell("workspace", "get")
        assert done.code == 7
        assert done.err.startswith("SERVER_UNREACHABLE: ")
        assert "chatwright up" in done.err

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (RateLimitExceeded("Too fast.", retry_after_ms=1500), 6),
            (Unavailable("Not now."), 7),
            (PayloadTooLarge("Too long."), 2),
            (Internal("Something went wrong."), 1),
        ],
        ids=lambda value: getattr(value, "code", None),
    )
    async def test_what_a_healthy_server_seldom_says(
        self, bare_shell: Shell, error: ChatwrightError, code: int
    ) -> None:
        async def refuse(_: Request) -> Response:
            raise error

        async with serving([Route("/api/v1/workspace", refuse)]) as url:
            bare_shell.know(url, "cw_any")
            done = await bare_shell("workspace", "get")
        assert done.code == code
        assert done.err.startswith(f"{error.code}: {error.message}\n")
        assert ("try again in 1.5 s" in done.err) == (error.retry_after_ms is not None)

    async def test_no_profile(self, bare_shell: Shell) -> None:
        done = await bare_shell("workspace", "get")
        assert done.code == 2
        assert done.err.startswith("NO_PROFILE: ")


def read_url(shell: Shell) -> str:
    return json.loads(shell.config.read_text())["profiles"]["local"]["url"]


async def test_a_dry_run_changes_nothing_and_says_so(shell: Shell) -> None:
    made = await shell(
        "inboxes", "create", "--channel", "webchat", "--name", "Shop", "--settings", "{}", "--json"
    )
    inbox_id = json.loads(made.out)["id"]
    dry = await shell("inboxes", "delete", inbox_id, "--dry-run", "--json")
    assert (dry.code, json.loads(dry.out)["name"]) == (0, "Shop")
    assert "dry run" in dry.err
    assert (await shell("inboxes", "get", inbox_id)).code == 0
