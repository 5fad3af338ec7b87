"""The pages on which people decide: calls that wait for them, and programs that they connected."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from chatwright.features.contacts.tags.operations import create_tag, list_tags, rename_tag
from chatwright.features.workspaces.approvals import supervising
from chatwright.features.workspaces.approvals.operations import (
    get_approval,
    get_approval_policy,
    set_approval_policy,
)
from chatwright.features.workspaces.oauth.operations import (
    end_connection,
    list_connections,
    list_grants,
)
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import ApprovalRequired, NotFound
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.workspaces.people import member_of, token_of
from tests.surfaces.http.conftest import OWN_PAGE, connect, join


@pytest.fixture(autouse=True)
def believed_for_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a workspace wants is asked for at every call, so that no test has to wait."""
    monkeypatch.setattr(supervising, "BELIEVED_SECONDS", 0.0)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(app: ASGIApp, desk: Desk) -> AsyncGenerator[httpx2.AsyncClient]:
    """An owner's browser, without scripts."""
    async with connect(app, headers=OWN_PAGE) as client:
        await join(client, desk, f"{new_id().hex}@example.com")
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(desk: Desk) -> tuple[str, Caller]:
    """A program's wish to rename a tag, which waits for a person."""
    owner = await member_of(desk)
    tag_id = (await desk.call(create_tag, name="VIP"))["id"]
    await desk.call(set_approval_policy, as_=owner, supervision="writes")
    robot, _ = await token_of(desk, made_by=owner, name="<b>n8n</b>")
    with pytest.raises(ApprovalRequired) as caught:
        await desk.call(rename_tag, as_=robot, tag_id=tag_id, name="<i>Gold</i>")
    return str((caught.value.details or {})["approval_id"]), robot


async def status_of(desk: Desk, approval_id: str) -> dict[str, Any]:
    return await desk.call(get_approval, approval_id=approval_id)


async def tags(desk: Desk) -> list[str]:
    return [tag["name"] for tag in (await desk.call(list_tags))["items"]]


class TestApprovals:
    async def test_the_start_page_says_how_many_wait(
        self, browser: httpx2.AsyncClient, waiting: tuple[str, Caller]
    ) -> None:
        assert '<a href="/approvals">Approvals</a>: 1 waiting' in (await browser.get("/")).text
        queue = (await browser.get("/approvals")).text
        assert f"/approvals/{waiting[0]}" in queue
        assert "&lt;b&gt;n8n&lt;/b&gt;" in queue

    async def test_what_is_asked_is_shown_as_text(
        self, browser: httpx2.AsyncClient, waiting: tuple[str, Caller]
    ) -> None:
        page = await browser.get(f"/approvals/{waiting[0]}")
        assert "&lt;i&gt;Gold&lt;/i&gt;" in page.text
        assert "<i>Gold" not in page.text
        assert "unsafe" not in page.headers["content-security-policy"]

    async def test_it_is_approved_as_it_was_asked(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        shown = (await status_of(desk, waiting[0]))["arguments"]
        form = {"decision": "approve", "arguments": httpx2.Response(200, json=shown).text}
        answer = await browser.post(f"/approvals/{waiting[0]}", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/approvals/{waiting[0]}")
        approved = await status_of(desk, waiting[0])
        assert (approved["status"], approved["edited"], await tags(desk)) == (
            "approved",
            False,
            ["<i>Gold</i>"],
        )
        assert "<form" not in (await browser.get(f"/approvals/{waiting[0]}")).text

    async def test_it_is_tried_before_it_is_decided(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        shown = (await status_of(desk, waiting[0]))["arguments"]
        text = httpx2.Response(200, json={**shown, "name": "Silver"}).text
        page = await browser.post(f"/approvals/{waiting[0]}", data={"decision": "try", "arguments": text})
        answered = page.text.partition("What it would answer")[2]
        assert "&quot;name&quot;: &quot;Silver&quot;" in answered
        assert (await status_of(desk, waiting[0]))["status"] == "waiting"
        assert await tags(desk) == ["VIP"]

    async def test_it_is_approved_with_what_the_person_changed(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        shown = (await status_of(desk, waiting[0]))["arguments"]
        text = httpx2.Response(200, json={**shown, "name": "Silver"}).text
        await browser.post(f"/approvals/{waiting[0]}", data={"decision": "approve", "arguments": text})
        assert (await status_of(desk, waiting[0]))["edited"]
        assert await tags(desk) == ["Silver"]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "no JSON"),
            ("[]", "one JSON object"),
            ("{}", "left out: name, tag_id"),
            ('{"tag_id": "x", "name": "Silver"}', "tag_id"),
            ('{"tag_id": "$tag", "name": "Silver", "colour": 1}', "colour"),
        ],
    )
    async def test_what_is_wrong_is_said_beside_what_was_typed(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller], text: str, words: str
    ) -> None:
        shown = (await status_of(desk, waiting[0]))["arguments"]
        typed = text.replace("$tag", shown["tag_id"])
        answer = await browser.post(
            f"/approvals/{waiting[0]}", data={"decision": "approve", "arguments": typed}
        )
        assert answer.status_code == 422
        alert = answer.text.partition('role="alert">')[2].partition("</p>")[0]
        assert words in alert
        assert typed.replace('"', "&quot;") in answer.text
        assert (await status_of(desk, waiting[0]))["status"] == "waiting"
        assert await tags(desk) == ["VIP"]

    async def test_it_is_refused_with_a_reason(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        form = {"decision": "refuse", "reason": "Not <now>."}
        await browser.post(f"/approvals/{waiting[0]}", data=form)
        seen = await desk.call(get_approval, as_=waiting[1], approval_id=waiting[0])
        assert (seen["status"], seen["reason"]) == ("refused", "Not <now>.")
        assert "Not &lt;now&gt;." in (await browser.get(f"/approvals/{waiting[0]}")).text
        assert (await browser.post(f"/approvals/{waiting[0]}", data=form)).status_code == 409

    async def test_other_sites_decide_nothing(
        self, browser: httpx2.AsyncClient, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        answer = await browser.post(
            f"/approvals/{waiting[0]}", data={"decision": "refuse"}, headers={"sec-fetch-site": "cross-site"}
        )
        assert answer.status_code == 403
        assert (await status_of(desk, waiting[0]))["status"] == "waiting"

    @pytest.mark.parametrize("path", ["/approvals", f"/approvals/{UUID(int=1)}", "/connections"])
    async def test_strangers_sign_in_and_come_back(self, http: httpx2.AsyncClient, path: str) -> None:
        answer = await http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?then={path}")
        assert f'data-then="{path}"' in (await http.get(answer.headers["location"])).text

    @pytest.mark.parametrize(
        "then", ["//evil.example", "https://evil.example/approvals", "javascript:x", "/demo"]
    )
    async def test_signing_in_leads_nowhere_else(self, http: httpx2.AsyncClient, then: str) -> None:
        assert 'data-then="/"' in (await http.get("/", params={"then": then})).text

    async def test_what_cannot_be_a_call_is_not_there(self, browser: httpx2.AsyncClient) -> None:
        answer = await browser.get("/approvals/x")
        assert (answer.status_code, "There is nothing at this address." in answer.text) == (404, True)

    async def test_what_waits_is_said_on_the_page(self, browser: httpx2.AsyncClient, desk: Desk) -> None:
        assert '<option value="none" selected>' in (await browser.get("/approvals")).text
        answer = await browser.post("/approvals/policy", data={"supervision": "writes", "hours": "5"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/approvals")
        page = (await browser.get("/approvals")).text
        assert '<option value="writes" selected>' in page
        assert 'value="5"' in page
        assert await desk.call(get_approval_policy) == {"supervision": "writes", "hours": 5}

    @pytest.mark.parametrize(
        "form", [{"hours": "5"}, {"supervision": "all"}, {"supervision": "risky", "hours": "0"}]
    )
    async def test_a_policy_that_is_none_changes_nothing(
        self, browser: httpx2.AsyncClient, desk: Desk, form: dict[str, str]
    ) -> None:
        answer = await browser.post("/approvals/policy", data=form)
        assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
        assert (await desk.call(get_approval_policy))["supervision"] == "none"

    async def test_another_site_sets_no_policy(self, browser: httpx2.AsyncClient, desk: Desk) -> None:
        form = {"supervision": "writes", "hours": "5"}
        answer = await browser.post("/approvals/policy", data=form, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
        assert (await desk.call(get_approval_policy))["supervision"] == "none"

    async def test_members_who_may_not_decide_see_none(
        self, app: ASGIApp, desk: Desk, waiting: tuple[str, Caller]
    ) -> None:
        async with connect(app, headers=OWN_PAGE) as client:
            await join(client, desk, f"{new_id().hex}@example.com")
            await _become(desk, "agent")
            assert "/approvals" not in (await client.get("/")).text
            assert (await client.get("/approvals")).status_code == 403
            assert (await client.get(f"/approvals/{waiting[0]}")).status_code == 404


async def _become(desk: Desk, role: str) -> None:
    """Give the newest member a role."""
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "update members set role = $2 where workspace_id = $1 and user_id ="
            " (select user_id from members where workspace_id = $1 order by created_at desc limit 1)",
            desk.caller.workspace_id,
            role,
        )


async def granted(desk: Desk, person: Caller, client: str = "Claude") -> str:
    """A grant of a person, as the consent page would make it."""
    grant_id = new_id()
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "insert into oauth_grants (id, workspace_id, user_id, client_id, client_name, scopes)"
            " values ($1, $2, $3, $4, $4, '{contacts:read}')",
            grant_id,
            desk.caller.workspace_id,
            person.person_id,
            client,
        )
    return str(grant_id)


class TestConnections:
    @pytest.mark.parametrize("role", ["agent", "analyst", "owner"])
    async def test_everybody_sees_and_ends_their_own(self, desk: Desk, role: str) -> None:
        person, other = await member_of(desk, role), await member_of(desk, role)
        mine, theirs = await granted(desk, person), await granted(desk, other)
        listed = (await desk.call(list_connections, as_=person))["items"]
        assert [grant["id"] for grant in listed] == [mine]
        with pytest.raises(NotFound):
            await desk.call(end_connection, as_=person, grant_id=theirs)
        assert (await desk.call(end_connection, as_=person, grant_id=mine))["ended_with_it"] == 0
        assert (await desk.call(list_connections, as_=person))["items"] == []
        assert [grant["id"] for grant in (await desk.call(list_grants))["items"]] == [theirs]

    async def test_a_program_sees_and_ends_itself_alone(self, desk: Desk) -> None:
        person = await member_of(desk)
        mine, other = await granted(desk, person), await granted(desk, person, "Cursor")
        program = replace(
            desk.caller_with("contacts:read"),
            kind=PrincipalKind.GRANT,
            principal_id=mine,
            person_id=person.person_id,
        )
        listed = (await desk.call(list_connections, as_=program))["items"]
        assert [grant["id"] for grant in listed] == [mine]
        with pytest.raises(NotFound):
            await desk.call(end_connection, as_=program, grant_id=other)
        await desk.call(end_connection, as_=program, grant_id=mine)

    @pytest.mark.parametrize("limits", [{"toolsets": ["contacts"]}, {"scopes": ["contacts:read"]}])
    async def test_a_limited_token_ends_nothing(self, desk: Desk, limits: dict[str, Any]) -> None:
        person = await member_of(desk)
        mine = await granted(desk, person)
        token, _ = await token_of(desk, made_by=person, surface=Surface.HTTP, **limits)
        assert (await desk.call(list_connections, as_=token))["items"] == []
        with pytest.raises(NotFound):
            await desk.call(end_connection, as_=token, grant_id=mine)

    async def test_on_the_page_it_ends_by_a_button(self, browser: httpx2.AsyncClient, desk: Desk) -> None:
        await _become(desk, "analyst")
        person = await browser.get("/")
        assert '<a href="/connections">' in person.text
        assert "No program is connected." in (await browser.get("/connections")).text
        async with desk.product.database.transaction() as unit:
            user_id = await unit.connection.fetchrow(
                "select user_id from members where workspace_id = $1", desk.caller.workspace_id
            )
        assert user_id is not None
        grant_id = await granted(desk, replace(desk.caller, person_id=user_id["user_id"]), "<b>Claude</b>")
        shown = (await browser.get("/connections")).text
        assert "&lt;b&gt;Claude&lt;/b&gt;" in shown
        assert f'value="{grant_id}"' in shown
        ended = await browser.post("/connections", data={"grant_id": grant_id})
        assert (ended.status_code, ended.headers["location"]) == (303, "/connections")
        assert (await desk.call(list_grants))["items"] == []
        assert (await browser.post("/connections", data={"grant_id": grant_id})).status_code == 404
