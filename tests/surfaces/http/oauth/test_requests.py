"""What clients may say before anybody is asked: metadata, registration, and every way to be refused."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.workspaces.oauth.policy import OAuthPolicy
from chatwright.features.workspaces.oauth.server import AuthorizationServer
from chatwright.net.http import Web
from tests.surfaces.http.conftest import connect
from tests.surfaces.http.oauth.driving import BACK, HERE, Person, Program, answer_of, registered

LONG = "x" * 3000


class TestMetadata:
    async def test_it_names_this_server_and_what_it_takes(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/.well-known/oauth-authorization-server")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        told = answer.json()
        assert told["issuer"] == HERE
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert told["authorization_response_iss_parameter_supported"] is True
        assert told["client_id_metadata_document_supported"] is True
        assert "none" in told["token_endpoint_auth_methods_supported"]
        assert told["registration_endpoint"] == f"{HERE}/oauth/register"
        assert "contacts:read" in told["scopes_supported"]

    async def test_below_a_path_it_stands_where_clients_look_for_it(self, product: Product) -> None:
        url = "https://chat.example/desk"
        web = Web()
        oauth = AuthorizationServer(
            product.database,
            product.cipher,
            web,
            product.limiter,
            OAuthPolicy(issuer=url, registration=False),
        )
        settings = replace(product.settings, public_url=url)
        async with connect(build_app(replace(product, settings=settings, oauth=oauth))) as client:
            told = (await client.get("/.well-known/oauth-authorization-server/desk")).json()
            refused = await client.post("/oauth/register", json={"redirect_uris": [BACK]})
        await web.close()
        assert told["issuer"] == url
        assert told["token_endpoint"] == f"{url}/oauth/token"
        assert "registration_endpoint" not in told
        assert refused.status_code == 400

    @pytest.mark.parametrize(
        "path",
        ["/.well-known/oauth-authorization-server", "/oauth/token", "/oauth/register", "/oauth/revoke"],
    )
    async def test_pages_of_other_sites_may_call(self, http: httpx2.AsyncClient, path: str) -> None:
        headers = {"origin": "https://inspector.example", "access-control-request-method": "POST"}
        preflight = await http.options(path, headers=headers)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert "mcp-protocol-version" in preflight.headers["access-control-allow-headers"]
        answer = await http.request("GET" if "well-known" in path else "POST", path, headers=headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers

    async def test_but_not_the_page_of_consent(self, http: httpx2.AsyncClient, program: Program) -> None:
        headers = {"origin": "https://inspector.example"}
        answer = await http.get("/oauth/authorize", params=program.request(), headers=headers)
        assert "access-control-allow-origin" not in answer.headers


class TestRegistering:
    @pytest.mark.parametrize(
        ("uri", "kind"),
        [
            ("https://app.example/cb", None),
            ("https://app.example/cb?tenant=1", "web"),
            ("http://localhost/cb", None),
            ("http://localhost:3000/cb", "native"),
            ("http://127.0.0.1/cb", "native"),
            ("http://[::1]:8080/cb", "native"),
            ("com.example.app:/oauth", "native"),
            ("cursor://anysphere.cursor-mcp/oauth/callback", None),
        ],
    )
    async def test_addresses_of_applications_are_taken(
        self, http: httpx2.AsyncClient, uri: str, kind: str | None
    ) -> None:
        about = {} if kind is None else {"application_type": kind}
        program = await registered(http, redirect_uris=[uri], **about)
        assert program.about["redirect_uris"] == [uri]
        assert program.about["token_endpoint_auth_method"] == "none"
        assert "client_secret" not in program.about
        assert isinstance(program.about["client_id_issued_at"], int)

    @pytest.mark.parametrize(
        ("told", "error"),
        [
            ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://app.example/cb#part"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://user@app.example/cb"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https:///cb"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://app.example/a b"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://app.example/\u0000"]}, "invalid_redirect_uri"),
            ({"redirect_uris": [f"https://app.example/{LONG}"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["http://localhost.evil.example/cb"]}, "invalid_redirect_uri"),
            ({"redirect_uris": []}, "invalid_redirect_uri"),
            ({"redirect_uris": None}, "invalid_redirect_uri"),
            ({"redirect_uris": [BACK] * 21}, "invalid_redirect_uri"),
            (
                {"redirect_uris": ["http://localhost/cb"], "application_type": "web"},
                "invalid_redirect_uri",
            ),
            ({"application_type": "tv"}, "invalid_client_metadata"),
            ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
            ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
            ({"response_types": ["token"]}, "invalid_client_metadata"),
            ({"client_name": "x" * 201}, "invalid_client_metadata"),
        ],
    )
    async def test_others_are_refused(
        self, http: httpx2.AsyncClient, told: dict[str, Any], error: str
    ) -> None:
        answer = await http.post("/oauth/register", json={"redirect_uris": [BACK], **told})
        assert answer.status_code == 400
        assert answer.json()["error"] == error

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"text"', b"\xff", b"[" * 20_000])
    async def test_what_is_no_object_is_refused(self, http: httpx2.AsyncClient, body: bytes) -> None:
        answer = await http.post("/oauth/register", content=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")

    async def test_a_name_cannot_turn_the_page_around(self, http: httpx2.AsyncClient) -> None:
        program = await registered(http, client_name="Good\u202e\u0000\n  App")
        assert program.about["client_name"] == "Good App"

    async def test_one_address_registers_only_so_many(self, app: ASGIApp) -> None:
        async with connect(app, address="192.0.2.77") as client:
            told = {"redirect_uris": [BACK]}
            answers = [await client.post("/oauth/register", json=told) for _ in range(25)]
        assert {answer.status_code for answer in answers} == {201, 429}
        assert answers[-1].json()["error"] == "temporarily_unavailable"
        assert int(answers[-1].headers["retry-after"]) >= 1

    async def test_who_has_one_address_of_a_network_has_all_of_them(self, app: ASGIApp) -> None:
        codes: list[int] = []
        for number in range(25):
            async with connect(app, address=f"2001:db8:7:7::{number:x}") as client:
                codes.append(
                    (await client.post("/oauth/register", json={"redirect_uris": [BACK]})).status_code
                )
        assert set(codes) == {201, 429}


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "invalid_request"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "fly"}, "invalid_scope"),
            ({"resource": "https://other.example/mcp"}, "invalid_target"),
            ({"resource": f"{HERE}/mcpx"}, "invalid_target"),
            ({"resource": f"{HERE}/mcp?x=1"}, "invalid_target"),
            ({"resource": [f"{HERE}/mcp", "https://other.example/mcp"]}, "invalid_target"),
            ({"request": "eyJ"}, "request_not_supported"),
            ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
            ({"scope": ["contacts:read", "contacts:write"]}, "invalid_request"),
        ],
    )
    async def test_the_client_hears_what_is_wrong(
        self, person: Person, program: Program, changes: dict[str, Any], error: str
    ) -> None:
        told = answer_of(await person.ask(**program.request(**changes)))
        assert (told["error"], told["state"], told["iss"]) == (error, "s-1", HERE)
        assert "code" not in told

    async def test_a_state_given_twice_is_not_echoed(self, person: Person, program: Program) -> None:
        told = answer_of(await person.ask(**program.request(state=["a", "b"])))
        assert told["error"] == "invalid_request"
        assert "state" not in told

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": None},
            {"client_id": "cwc_unknown"},
            {"client_id": "a\0b"},
            {"client_id": "x" * 600},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": f"{BACK}/"},
            {"redirect_uri": f"{BACK}?more=1"},
            {"redirect_uri": "https://app.example:444/callback"},
            {"redirect_uri": "http://app.example/callback"},
            {"redirect_uri": [BACK, "https://evil.example/callback"]},
        ],
    )
    async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(
        self, person: Person, program: Program, changes: dict[str, Any]
    ) -> None:
        answer = await person.ask(**program.request(**changes))
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "cannot be connected" in answer.text

    @pytest.mark.parametrize(
        ("wanted", "status"),
        [
            ("http://127.0.0.1:5000/cb", 200),
            ("http://127.0.0.1/cb", 200),
            ("http://127.0.0.1:5000/other", 400),
            ("http://localhost:5000/cb", 400),
            ("https://127.0.0.1:5000/cb", 400),
            ("http://127.0.0.1:5000/cb?x=1", 400),
            ("http://me@127.0.0.1:5000/cb", 400),
            ("http://127.0.0.1:99999/cb", 400),
        ],
    )
    async def test_on_the_own_machine_only_the_port_is_free(
        self, person: Person, http: httpx2.AsyncClient, wanted: str, status: int
    ) -> None:
        program = await registered(http, redirect_uris=["http://127.0.0.1:1234/cb"])
        answer = await person.ask(**program.request(redirect_uri=wanted))
        assert answer.status_code == status

    @pytest.mark.parametrize("part", ["/mcp", "/mcp/x/contacts", "/mcp/x/contacts/readonly"])
    async def test_parts_of_the_endpoint_are_this_resource(
        self, person: Person, program: Program, part: str
    ) -> None:
        answer = await person.ask(**program.request(resource=f"{HERE}{part}"))
        assert answer.status_code == 200

    async def test_who_names_no_scope_is_offered_the_usual_ones(
        self, person: Person, program: Program
    ) -> None:
        text = (await person.ask(**program.request(scope=None, resource=None))).text
        assert "contacts:write" in text
        assert "tokens:write" not in text

    async def test_scopes_that_nobody_knows_are_left_out(self, person: Person, program: Program) -> None:
        text = (await person.ask(**program.request(scope="openid offline_access contacts:read"))).text
        assert 'value="contacts:read"' in text
        assert "openid" not in text.partition("<fieldset")[2]
