"""The token endpoint: codes once, refresh tokens in turn, machines, and how each is refused."""

import asyncio
import base64
from typing import Any

import httpx2
import pytest

from chatwright.features.workspaces.authentication import Authenticator, Presented
from chatwright.features.workspaces.oauth.operations import (
    create_oauth_client,
    delete_oauth_client,
    narrow_grant,
    revoke_grant,
)
from chatwright.features.workspaces.operations import remove_member
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import Unauthenticated
from tests.conftest import Desk
from tests.surfaces.http.conftest import audited
from tests.surfaces.http.oauth.driving import (
    BACK,
    HERE,
    READING,
    VERIFIER,
    Person,
    Program,
    answer_of,
    connected,
    registered,
)
from tests.surfaces.http.oauth.test_flow import grants_of

AT_MCP = Presented(Surface.MCP, client="tests", resource=f"{HERE}/mcp")


async def scopes_of_token(desk: Desk, token: str) -> frozenset[str]:
    """What a token may do, asked afresh; raises Unauthenticated."""
    return (await Authenticator(desk.product.database).by_token(token, AT_MCP)).scopes


async def code_for(person: Person, program: Program, **changes: Any) -> str:
    answer = await person.ask(**program.request(**changes))
    return answer_of(answer if answer.status_code == 303 else await person.decide(answer))["code"]


async def aged(desk: Desk, table: str, column: str, seconds: int) -> None:
    """Let time go by for the codes or tokens of a workspace."""
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(
            f"update {table} set {column} = {column} - make_interval(secs => $2) where grant_id in "
            "(select id from oauth_grants where workspace_id = $1)",
            desk.caller.workspace_id,
            float(seconds),
        )


def error_of(response: httpx2.Response, status: int = 400) -> str:
    """The code of a refusal, in the one shape there is."""
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    told = response.json()
    assert set(told) == {"error", "error_description"}
    return told["error"]


class TestCodes:
    async def test_the_token_works_where_it_was_made_for(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program)
        assert await scopes_of_token(person.desk, tokens["access_token"]) == frozenset(READING.split())
        elsewhere = Presented(Surface.HTTP, resource="https://other.example/mcp")
        with pytest.raises(Unauthenticated):
            await Authenticator(person.desk.product.database).by_token(tokens["access_token"], elsewhere)

    async def test_a_second_use_takes_back_what_came_of_the_first(
        self, person: Person, program: Program
    ) -> None:
        code = await code_for(person, program)
        tokens = (await program.exchange(code)).json()
        assert error_of(await program.exchange(code)) == "invalid_grant"
        with pytest.raises(Unauthenticated):
            await scopes_of_token(person.desk, tokens["access_token"])
        assert error_of(await program.refresh(tokens["refresh_token"])) == "invalid_grant"
        assert await audited(person.desk, "oauth.code_reused") == [("refused", "OAUTH_REFUSED")]

    async def test_a_code_lasts_a_minute(self, person: Person, program: Program) -> None:
        code = await code_for(person, program)
        await aged(person.desk, "oauth_codes", "expires_at", 61)
        assert error_of(await program.exchange(code)) == "invalid_grant"

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code": "cwa_unknown"}, "invalid_grant"),
            ({"redirect_uri": "https://app.example/other"}, "invalid_grant"),
            ({"resource": "https://other.example/mcp"}, "invalid_target"),
            ({"code": None}, "invalid_request"),
            ({"code_verifier": None}, "invalid_request"),
            ({"grant_type": None}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "client_credentials"}, "unauthorized_client"),
            ({"grant_type": "refresh_token"}, "invalid_request"),
        ],
    )
    async def test_what_does_not_fit_is_refused_and_the_code_stays_good(
        self, person: Person, program: Program, changes: dict[str, str | None], error: str
    ) -> None:
        code = await code_for(person, program)
        assert error_of(await program.exchange(code, **changes)) == error
        assert (await program.exchange(code)).status_code == 200

    async def test_a_code_is_its_own_clients(
        self, person: Person, program: Program, http: httpx2.AsyncClient
    ) -> None:
        other = await registered(http)
        code = await code_for(person, program)
        assert error_of(await other.exchange(code)) == "invalid_grant"

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
    async def test_only_forms_are_read(self, http: httpx2.AsyncClient, content_type: str) -> None:
        headers = {"content-type": content_type}
        answer = await http.post("/oauth/token", content=b'{"grant_type": "x"}', headers=headers)
        assert error_of(answer) == "invalid_request"

    @pytest.mark.parametrize("body", [b"a=%00", b"a=\xff", b"grant_type=a&grant_type=b", b"a=1&" * 400])
    async def test_odd_forms_are_refused(self, http: httpx2.AsyncClient, body: bytes) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert error_of(await http.post("/oauth/token", content=body, headers=headers)) == "invalid_request"


class TestRefreshing:
    async def test_tokens_take_turns(self, person: Person, program: Program) -> None:
        first = await connected(person, program)
        second = (await program.refresh(first["refresh_token"])).json()
        third = (await program.refresh(second["refresh_token"])).json()
        assert len({each["access_token"] for each in (first, second, third)}) == 3
        assert third["scope"] == READING
        assert await scopes_of_token(person.desk, third["access_token"]) == frozenset(READING.split())

    async def test_twenty_at_once_get_one_answer(self, person: Person, program: Program) -> None:
        first = await connected(person, program)
        answers = await asyncio.gather(*(program.refresh(first["refresh_token"]) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        told = [answer.json() for answer in answers]
        assert len({(each["access_token"], each["refresh_token"]) for each in told}) == 1
        assert (await program.refresh(told[0]["refresh_token"])).status_code == 200

    async def test_a_late_reuse_ends_the_family(self, person: Person, program: Program) -> None:
        first = await connected(person, program)
        second = (await program.refresh(first["refresh_token"])).json()
        await aged(person.desk, "oauth_tokens", "used_at", 31)
        assert error_of(await program.refresh(first["refresh_token"])) == "invalid_grant"
        assert error_of(await program.refresh(second["refresh_token"])) == "invalid_grant"
        for tokens in (first, second):
            with pytest.raises(Unauthenticated):
                await scopes_of_token(person.desk, tokens["access_token"])
        assert await audited(person.desk, "oauth.refresh_reused") == [("refused", "OAUTH_REFUSED")]

    async def test_another_family_lives_on(self, person: Person, program: Program) -> None:
        first, other = await connected(person, program), await connected(person, program)
        await program.refresh(first["refresh_token"])
        await aged(person.desk, "oauth_tokens", "used_at", 31)
        await program.refresh(first["refresh_token"])
        assert (await program.refresh(other["refresh_token"])).status_code == 200

    async def test_fewer_scopes_are_for_one_token_only(self, person: Person, program: Program) -> None:
        first = await connected(person, program)
        narrow = (await program.refresh(first["refresh_token"], scope="contacts:read")).json()
        assert narrow["scope"] == "contacts:read"
        assert await scopes_of_token(person.desk, narrow["access_token"]) == {"contacts:read"}
        assert (await program.refresh(narrow["refresh_token"])).json()["scope"] == READING

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scope": "contacts:write"}, "invalid_scope"),
            ({"resource": "https://other.example/mcp"}, "invalid_target"),
            ({"refresh_token": "cwr_unknown"}, "invalid_grant"),
        ],
    )
    async def test_what_does_not_fit_is_refused(
        self, person: Person, program: Program, changes: dict[str, str], error: str
    ) -> None:
        tokens = await connected(person, program)
        assert error_of(await program.refresh(tokens["refresh_token"], **changes)) == error
        assert (await program.refresh(tokens["refresh_token"])).status_code == 200

    async def test_an_access_token_refreshes_nothing(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program)
        assert error_of(await program.refresh(tokens["access_token"])) == "invalid_grant"

    async def test_nothing_is_stored_as_it_is(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program)
        await program.refresh(tokens["refresh_token"])
        async with person.desk.product.database.transaction() as unit:
            for table in ("oauth_tokens", "oauth_codes", "oauth_grants", "oauth_clients", "audit_records"):
                rows = await unit.connection.fetch(f"select t::text as row from {table} t")
                text = "".join(row["row"] for row in rows)
                assert tokens["refresh_token"] not in text
                assert tokens["access_token"] not in text


class TestEnding:
    async def test_a_revoked_grant_ends_its_tokens(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program)
        (grant,) = await grants_of(person.desk)
        await person.desk.call(revoke_grant, grant_id=grant["id"])
        with pytest.raises(Unauthenticated):
            await scopes_of_token(person.desk, tokens["access_token"])
        assert error_of(await program.refresh(tokens["refresh_token"])) == "invalid_grant"

    async def test_a_narrowed_grant_narrows_its_tokens(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program, scope="contacts:write conversations:write")
        (grant,) = await grants_of(person.desk)
        await person.desk.call(narrow_grant, grant_id=grant["id"], scopes=["contacts:read"])
        assert await scopes_of_token(person.desk, tokens["access_token"]) == {"contacts:read"}
        await person.desk.call(narrow_grant, grant_id=grant["id"], read_only=True)
        assert await scopes_of_token(person.desk, tokens["access_token"]) == {"contacts:read"}

    async def test_who_is_no_member_any_more_has_no_programs(
        self, person: Person, program: Program, desk: Desk
    ) -> None:
        tokens = await connected(person, program)
        (grant,) = await grants_of(desk)
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update members set role = 'analyst' where workspace_id = $1", desk.caller.workspace_id
            )
        assert await scopes_of_token(desk, tokens["access_token"]) == frozenset(READING.split())
        await desk.call(remove_member, member_id=grant["user_id"])
        with pytest.raises(Unauthenticated):
            await scopes_of_token(desk, tokens["access_token"])
        assert error_of(await program.refresh(tokens["refresh_token"])) == "invalid_grant"

    async def test_a_client_gives_its_tokens_back(self, person: Person, program: Program) -> None:
        tokens = await connected(person, program)
        form = {"token": tokens["access_token"], "client_id": program.id}
        assert (await program.http.post("/oauth/revoke", data=form)).status_code == 200
        with pytest.raises(Unauthenticated):
            await scopes_of_token(person.desk, tokens["access_token"])
        again = (await program.refresh(tokens["refresh_token"])).json()
        form = {"token": again["refresh_token"], "client_id": program.id}
        assert (await program.http.post("/oauth/revoke", data=form)).status_code == 200
        with pytest.raises(Unauthenticated):
            await scopes_of_token(person.desk, again["access_token"])

    async def test_but_nobody_elses(self, person: Person, program: Program, http: httpx2.AsyncClient) -> None:
        tokens = await connected(person, program)
        other = await registered(http)
        for token in (tokens["refresh_token"], "cwr_unknown"):
            form = {"token": token, "client_id": other.id}
            assert (await http.post("/oauth/revoke", data=form)).status_code == 200
        assert (await program.refresh(tokens["refresh_token"])).status_code == 200


class TestSecrets:
    async def test_a_client_with_a_secret_proves_itself_either_way(
        self, person: Person, http: httpx2.AsyncClient
    ) -> None:
        program = await registered(http, token_endpoint_auth_method="client_secret_basic")
        secret = program.about["client_secret"]
        code = await code_for(person, program)
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        wrong = await http.post("/oauth/token", data=form, auth=(program.id, "cws_wrong"))
        assert error_of(wrong, 401) == "invalid_client"
        assert wrong.headers["www-authenticate"].startswith("Basic ")
        assert error_of(await program.exchange(code), 401) == "invalid_client"
        both = await http.post(
            "/oauth/token", data=form | {"client_secret": secret}, auth=(program.id, secret)
        )
        assert error_of(both) == "invalid_request"
        right = await http.post("/oauth/token", data=form, auth=(program.id, secret))
        assert right.status_code == 200
        posted = await program.refresh(right.json()["refresh_token"], client_secret=secret)
        assert posted.status_code == 200

    @pytest.mark.parametrize("header", ["Bearer cw_x", "Basic", "Basic !!!", "Basic " + "QQ=="])
    async def test_other_headers_prove_nothing(self, http: httpx2.AsyncClient, header: str) -> None:
        form = {"grant_type": "authorization_code"}
        answer = await http.post("/oauth/token", data=form, headers={"authorization": header})
        assert error_of(answer, 401) == "invalid_client"

    async def test_an_unknown_client_is_told_so(self, http: httpx2.AsyncClient) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": "cwr_x", "client_id": "cwc_gone"}
        assert error_of(await http.post("/oauth/token", data=form), 401) == "invalid_client"


class TestMachines:
    async def test_a_machine_gets_what_its_maker_gave(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        made = await desk.call(
            create_oauth_client, name="Nightly report", scopes=["contacts:read", "audit:read"]
        )
        auth = (made["client"]["client_id"], made["client_secret"])
        form = {"grant_type": "client_credentials", "resource": f"{HERE}/mcp"}
        issued = await http.post("/oauth/token", data=form, auth=auth)
        assert issued.status_code == 200
        told = issued.json()
        assert told["scope"] == "audit:read contacts:read"
        assert "refresh_token" not in told
        assert await scopes_of_token(desk, told["access_token"]) == {"audit:read", "contacts:read"}
        fewer = await http.post("/oauth/token", data=form | {"scope": "contacts:read"}, auth=auth)
        assert fewer.json()["scope"] == "contacts:read"
        more = await http.post("/oauth/token", data=form | {"scope": "tokens:write"}, auth=auth)
        assert error_of(more) == "invalid_scope"
        assert await audited(desk, "oauth.token") == [("done", None), ("done", None)]

    async def test_it_may_ask_about_tokens_of_its_workspace(
        self, desk: Desk, http: httpx2.AsyncClient, person: Person, program: Program
    ) -> None:
        tokens = await connected(person, program)
        made = await desk.call(create_oauth_client, name="Gateway", scopes=["contacts:read"])
        auth = (made["client"]["client_id"], made["client_secret"])
        told = (
            await http.post("/oauth/introspect", data={"token": tokens["access_token"]}, auth=auth)
        ).json()
        assert (told["active"], told["client_id"], told["scope"]) == (True, program.id, READING)
        assert (told["aud"], told["iss"]) == (f"{HERE}/mcp", HERE)
        unknown = await http.post("/oauth/introspect", data={"token": "cwo_x"}, auth=auth)
        assert unknown.json() == {"active": False}
        public = {"token": tokens["access_token"], "client_id": program.id}
        assert error_of(await http.post("/oauth/introspect", data=public)) == "unauthorized_client"

    async def test_of_another_workspace_it_learns_nothing(
        self, stranger: Desk, http: httpx2.AsyncClient, person: Person, program: Program
    ) -> None:
        tokens = await connected(person, program)
        made = await stranger.call(create_oauth_client, name="Gateway", scopes=["contacts:read"])
        auth = (made["client"]["client_id"], made["client_secret"])
        told = await http.post("/oauth/introspect", data={"token": tokens["access_token"]}, auth=auth)
        assert told.json() == {"active": False}

    async def test_a_deleted_one_gets_nothing_more(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        made = await desk.call(create_oauth_client, name="Old", scopes=["contacts:read"])
        auth = (made["client"]["client_id"], made["client_secret"])
        form = {"grant_type": "client_credentials"}
        token = (await http.post("/oauth/token", data=form, auth=auth)).json()["access_token"]
        gone = await desk.call(delete_oauth_client, client_id=made["client"]["client_id"])
        assert gone["grants_revoked"] == 1
        assert error_of(await http.post("/oauth/token", data=form, auth=auth), 401) == "invalid_client"
        with pytest.raises(Unauthenticated):
            await scopes_of_token(desk, token)

    async def test_a_web_application_acts_for_people(
        self, person: Person, desk: Desk, http: httpx2.AsyncClient
    ) -> None:
        made = await desk.call(create_oauth_client, name="Our portal", redirect_uris=[BACK])
        assert made["grant"] is None
        about = {"client_id": made["client"]["client_id"], "redirect_uris": [BACK]}
        program = Program(http, about)
        page = await person.ask(**program.request())
        assert "a client that a member of your workspace made" in page.text
        code = answer_of(await person.decide(page))["code"]
        issued = await program.exchange(code, client_secret=made["client_secret"])
        assert issued.status_code == 200
        packed = base64.b64encode(f"{program.id}:{made['client_secret']}".encode()).decode()
        alone = await http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {packed}"},
        )
        assert error_of(alone) == "unauthorized_client"
