"""The code flow, from the first request to tokens, through real HTTP requests."""

from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from chatwright.features.workspaces.oauth.operations import list_grants, narrow_grant, revoke_grant
from tests.conftest import Desk
from tests.surfaces.http.conftest import audited
from tests.surfaces.http.oauth.driving import (
    BACK,
    CHALLENGE,
    HERE,
    READING,
    Page,
    Person,
    Program,
    answer_of,
    challenge_of,
    connected,
    registered,
    somebody,
)


async def grants_of(desk: Desk) -> list[dict[str, Any]]:
    return (await desk.call(list_grants))["items"]


class TestAllowing:
    async def test_a_code_comes_back_with_state_and_issuer_and_buys_tokens(
        self, person: Person, program: Program
    ) -> None:
        sent = await person.decide(await person.ask(**program.request()))
        told = answer_of(sent)
        assert sent.headers["location"].startswith(f"{BACK}?code=")
        assert (told["state"], told["iss"]) == ("s-1", HERE)
        issued = await program.exchange(told["code"])
        assert issued.headers["cache-control"] == "no-store"
        tokens = issued.json()
        assert tokens["token_type"] == "Bearer"
        assert tokens["expires_in"] == 3600
        assert tokens["scope"] == READING
        assert tokens["access_token"].startswith("cwo_")
        (grant,) = await grants_of(person.desk)
        assert (grant["client_id"], grant["user_name"]) == (program.id, "Ada")
        assert await audited(person.desk, "grants.give") == [("done", None)]

    async def test_the_person_may_allow_fewer_scopes(self, person: Person, program: Program) -> None:
        page = await person.ask(**program.request(scope="contacts:write conversations:read"))
        assert sorted(Page(page.text).choices) == ["contacts:read", "contacts:write", "conversations:read"]
        sent = await person.decide(page, without=("contacts:write",))
        tokens = (await program.exchange(answer_of(sent)["code"])).json()
        assert tokens["scope"] == "contacts:read conversations:read"

    async def test_limits_are_kept(self, person: Person, program: Program) -> None:
        page = await person.ask(**program.request(scope="contacts:write"))
        sent = await person.decide(page, more=(("read_only", "on"), ("days", "7")))
        await program.exchange(answer_of(sent)["code"])
        (grant,) = await grants_of(person.desk)
        assert grant["read_only"] is True
        assert grant["expires_at"] is not None

    async def test_the_page_shows_who_asks_and_tells_risky_scopes_apart(
        self, person: Person, program: Program
    ) -> None:
        text = (await person.ask(**program.request(scope="contacts:read tokens:write"))).text
        assert "Sample client" in text
        assert "app.example" in text
        assert "nobody vouches for its name" in text
        assert text.index("See contacts") < text.index('class="risky"') < text.index("Make access tokens")

    async def test_the_page_may_not_be_framed_nor_kept(self, person: Person, program: Program) -> None:
        headers = (await person.ask(**program.request())).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' https://app.example;" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"

    async def test_names_are_text(self, person: Person, http: httpx2.AsyncClient) -> None:
        program = await registered(http, client_name="<b>Bold</b> \u202egnip")
        text = (await person.ask(**program.request())).text
        assert "&lt;b&gt;Bold&lt;/b&gt; gnip" in text
        assert "<b>Bold" not in text

    async def test_who_says_no_is_sent_back_with_that(self, person: Person, program: Program) -> None:
        told = answer_of(await person.decide(await person.ask(**program.request()), decision="deny"))
        assert (told["error"], told["state"], told["iss"]) == ("access_denied", "s-1", HERE)
        assert await grants_of(person.desk) == []
        assert await audited(person.desk, "grants.deny") == [("done", None)]

    async def test_nothing_ticked_is_a_no(self, person: Person, program: Program) -> None:
        page = await person.ask(**program.request())
        told = answer_of(await person.decide(page, without=tuple(READING.split())))
        assert told["error"] == "access_denied"

    async def test_scopes_beyond_those_asked_for_cannot_be_added(
        self, person: Person, program: Program
    ) -> None:
        page = await person.ask(**program.request())
        sent = await person.decide(page, more=(("allow", "tokens:write"),))
        assert (await program.exchange(answer_of(sent)["code"])).json()["scope"] == READING


class TestRemembering:
    async def test_what_was_allowed_is_not_asked_again(self, person: Person, program: Program) -> None:
        await connected(person, program)
        again = await person.ask(**program.request(scope="contacts:read"))
        tokens = (await program.exchange(answer_of(again)["code"])).json()
        assert tokens["scope"] == "contacts:read"
        assert len(await grants_of(person.desk)) == 1

    async def test_more_is_asked_for_and_shown_as_new(self, person: Person, program: Program) -> None:
        first = await connected(person, program)
        page = await person.ask(**program.request(scope=f"{READING} contacts:write"))
        assert page.text.count("allowed before") == 2
        assert page.text.count('class="new"') == 1
        sent = await person.decide(page)
        tokens = (await program.exchange(answer_of(sent)["code"])).json()
        assert tokens["scope"] == "contacts:read contacts:write conversations:read"
        assert first["access_token"] != tokens["access_token"]
        assert len(await grants_of(person.desk)) == 1

    async def test_prompt_consent_asks_again(self, person: Person, program: Program) -> None:
        await connected(person, program)
        assert (await person.ask(**program.request(prompt="consent"))).status_code == 200

    async def test_a_program_on_the_own_machine_asks_always(
        self, person: Person, http: httpx2.AsyncClient
    ) -> None:
        program = await registered(http, redirect_uris=["http://localhost/callback"])
        page = await person.ask(**program.request(redirect_uri="http://localhost:49152/callback"))
        assert "any program here could pass itself off as this one" in page.text
        sent = await person.decide(page)
        assert sent.headers["location"].startswith("http://localhost:49152/callback?code=")
        again = await person.ask(**program.request(redirect_uri="http://localhost:50000/callback"))
        assert again.status_code == 200

    async def test_also_when_it_has_another_address_elsewhere(
        self, person: Person, http: httpx2.AsyncClient
    ) -> None:
        program = await registered(http, redirect_uris=[BACK, "http://localhost/callback"])
        await connected(person, program)
        assert (await person.ask(**program.request())).status_code == 303
        here = await person.ask(**program.request(redirect_uri="http://localhost:49152/callback"))
        assert here.status_code == 200

    async def test_a_revoked_grant_is_forgotten(self, person: Person, program: Program) -> None:
        await connected(person, program)
        (grant,) = await grants_of(person.desk)
        await person.desk.call(revoke_grant, grant_id=grant["id"])
        assert (await person.ask(**program.request())).status_code == 200

    async def test_what_was_narrowed_is_asked_for_anew(self, person: Person, program: Program) -> None:
        await connected(person, program)
        (grant,) = await grants_of(person.desk)
        await person.desk.call(narrow_grant, grant_id=grant["id"], scopes=["contacts:read"])
        assert (await person.ask(**program.request())).status_code == 200


class TestForgery:
    async def test_a_decision_needs_the_page_it_was_made_on(self, person: Person, program: Program) -> None:
        page = await person.ask(**program.request())
        for changed in (
            {"csrf": "0" * 64},
            {"scope": "tokens:write"},
            {"state": "other"},
            {"client_id": "x"},
        ):
            refused = await person.decide(page, changed=changed)
            assert refused.status_code == 400
        assert await grants_of(person.desk) == []

    async def test_the_page_of_another_person_is_worth_nothing(
        self, app: ASGIApp, desk: Desk, person: Person, program: Program
    ) -> None:
        async with somebody(app, desk) as other:
            page = await other.ask(**program.request())
        assert (await person.decide(page)).status_code == 400

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
    async def test_other_sites_cannot_decide(self, person: Person, program: Program, site: str) -> None:
        fields = Page((await person.ask(**program.request())).text).fields
        answer = await person.browser.post(
            "/oauth/authorize", data=dict(fields) | {"decision": "allow"}, headers={"sec-fetch-site": site}
        )
        assert answer.status_code == 403
        assert await grants_of(person.desk) == []


class TestSigningIn:
    async def test_a_stranger_signs_in_and_comes_back(
        self, app: ASGIApp, desk: Desk, http: httpx2.AsyncClient, program: Program
    ) -> None:
        asked = await http.get("/oauth/authorize", params=program.request())
        assert "Sign in to decide what Sample client may do" in asked.text
        async with somebody(app, desk) as known:
            who = (await known.browser.get("/api/v1/members")).json()["items"]
        email = next(member["email"] for member in who)
        then = dict(Page(asked.text).fields)["then"]
        wrong = await http.post("/oauth/sign-in", data={"then": then, "email": email, "password": "not this"})
        assert wrong.status_code == 401
        assert "E-mail or password is wrong" in wrong.text
        assert "Sign in to decide what Sample client may do" in wrong.text
        right = {"then": then, "email": email, "password": "correct horse battery"}
        back = await http.post("/oauth/sign-in", data=right)
        assert back.status_code == 303
        page = await http.get(back.headers["location"])
        assert "Allow Sample client?" in page.text

    async def test_it_leads_nowhere_else(self, http: httpx2.AsyncClient) -> None:
        answer = await http.post(
            "/oauth/sign-in", data={"then": "//evil.example", "email": "a@example.com", "password": "x" * 10}
        )
        assert answer.status_code == 401

    async def test_a_program_with_a_token_allows_nothing(
        self, api: httpx2.AsyncClient, program: Program
    ) -> None:
        assert "Sign in to decide" in (await api.get("/oauth/authorize", params=program.request())).text


class TestPkce:
    @pytest.mark.parametrize(
        ("verifier", "status"),
        [
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 200),
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", 400),
            (CHALLENGE, 400),
            ("short", 400),
            ("x" * 129, 400),
        ],
    )
    async def test_only_who_asked_gets_tokens(
        self, person: Person, program: Program, verifier: str, status: int
    ) -> None:
        told = answer_of(await person.decide(await person.ask(**program.request())))
        issued = await program.exchange(told["code"], code_verifier=verifier)
        assert issued.status_code == status
        if status == 400:
            assert issued.json()["error"] == "invalid_grant"

    async def test_verifiers_of_every_length_work(self, person: Person, program: Program) -> None:
        for verifier in ("a" * 43, "~._-" * 32):
            request = program.request(code_challenge=challenge_of(verifier), prompt="consent")
            told = answer_of(await person.decide(await person.ask(**request)))
            assert (await program.exchange(told["code"], code_verifier=verifier)).status_code == 200
