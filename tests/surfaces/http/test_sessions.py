"""Joining, signing in and out, and what a cookie is good for."""

from typing import Literal
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY
from starlette.types import ASGIApp

from chatwright.app.wiring import Product
from chatwright.features.workspaces.authentication import Join, Sessions, SignIn
from chatwright.features.workspaces.founding import make_setup_link
from chatwright.features.workspaces.store import CREDENTIALS
from chatwright.kernel.errors import Unauthenticated
from chatwright.surfaces.http.sessions import PERSON_RATE
from tests.conftest import CHEAP, Desk
from tests.surfaces.http.conftest import OWN_PAGE, PASSWORD, connect, join
from tests.surfaces.http.test_rest import problem_of


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.com"


@pytest_asyncio.fixture(loop_scope="session")
async def person(http: httpx2.AsyncClient, desk: Desk, email: str) -> httpx2.AsyncClient:
    """A signed-in owner of the workspace, in a browser."""
    answer = await join(http, desk, email)
    assert answer.status_code == 200, answer.text
    return http


class Watched(PasswordHasher):
    """Notes what each check was made with, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[tuple[Parameters, type[Exception] | None]] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name.
        try:
            good = super().verify(hash, password)
        except Exception as error:
            self.checked.append((extract_parameters(str(hash)), type(error)))
            raise
        self.checked.append((extract_parameters(str(hash)), None))
        return good


class TestJoin:
    async def test_a_link_makes_an_owner_who_is_signed_in(
        self, http: httpx2.AsyncClient, desk: Desk, email: str
    ) -> None:
        me = (await join(http, desk, email)).json()
        assert me["workspace_id"] == str(desk.caller.workspace_id)
        assert (me["kind"], me["name"]) == ("member", "Ada")
        assert (await http.get("/auth/me")).json() == me

    async def test_a_password_is_kept_at_a_cost(self, product: Product, desk: Desk, email: str) -> None:
        async with product.database.transaction():
            link = (await make_setup_link(desk.caller.workspace_id)).partition("#")[2]
        person = Join.model_validate({"link": link, "email": email, "name": "Ada", "password": PASSWORD})
        await Sessions(product.database).join(person, "tests")
        async with product.database.transaction():
            stored = (await CREDENTIALS.one(email)).password_hash
        assert stored is not None
        assert extract_parameters(stored) == RFC_9106_LOW_MEMORY

    async def test_a_link_works_once(self, http: httpx2.AsyncClient) -> None:
        body = {"link": "used", "email": "a@example.com", "name": "A", "password": PASSWORD}
        problem_of(await http.post("/auth/join", json=body), 422, "INVALID_ARGUMENT")

    async def test_a_short_password_is_named_and_never_repeated(self, http: httpx2.AsyncClient) -> None:
        body = {"link": "x", "email": "a@example.com", "name": "A", "password": "sesame"}
        answer = await http.post("/auth/join", json=body)
        (problem,) = problem_of(answer, 422, "INVALID_ARGUMENT").fields
        assert (problem.path, problem.message) == ("password", "A password has 10 to 200 characters.")
        assert "sesame" not in answer.text


class TestSignIn:
    async def test_out_and_in_again(self, person: httpx2.AsyncClient, email: str) -> None:
        assert (await person.post("/auth/sign-out", headers=OWN_PAGE)).status_code == 200
        problem_of(await person.get("/auth/me"), 401, "UNAUTHENTICATED")
        body = {"email": email.upper(), "password": PASSWORD}
        assert (await person.post("/auth/sign-in", json=body)).json()["name"] == "Ada"
        assert (await person.get("/api/v1/workspace")).status_code == 200

    async def test_sign_out_ends_the_session_itself(self, person: httpx2.AsyncClient) -> None:
        stolen = dict(person.cookies)
        await person.post("/auth/sign-out", headers=OWN_PAGE)
        person.cookies.update(stolen)
        problem_of(await person.get("/auth/me"), 401, "UNAUTHENTICATED")

    async def test_a_wrong_password_and_an_unknown_person_look_alike(
        self, person: httpx2.AsyncClient, email: str
    ) -> None:
        wrong = await person.post("/auth/sign-in", json={"email": email, "password": "wrong"})
        nobody = await person.post("/auth/sign-in", json={"email": f"x{email}", "password": "wrong"})
        assert (
            problem_of(wrong, 401, "UNAUTHENTICATED").message
            == problem_of(nobody, 401, "UNAUTHENTICATED").message
        )

    async def test_an_unknown_person_costs_as_much_as_a_known_one(
        self, product: Product, person: httpx2.AsyncClient, email: str
    ) -> None:
        """A cheaper answer would tell whose addresses are known here."""
        hasher = Watched()
        for one in (email, f"x{email}"):
            with pytest.raises(Unauthenticated):
                await Sessions(product.database, hasher).sign_in(
                    SignIn.model_validate({"email": one, "password": "wrong"}), "tests"
                )
        known, unknown = hasher.checked
        assert known == (extract_parameters(CHEAP.hash("x")), VerifyMismatchError)
        assert unknown == (RFC_9106_LOW_MEMORY, VerifyMismatchError)

    async def test_guessing_is_slowed_down_wherever_it_comes_from(self, app: ASGIApp, email: str) -> None:
        answers: list[httpx2.Response] = []
        for _ in range(PERSON_RATE.burst + 2):
            async with connect(app) as client:
                body = {"email": email, "password": "guess"}
                answers.append(await client.post("/auth/sign-in", json=body))
        codes = [answer.status_code for answer in answers]
        assert codes[: PERSON_RATE.burst] == [401] * PERSON_RATE.burst
        assert codes[-1] == 429
        assert int(answers[-1].headers["retry-after"]) >= 1

    async def test_a_link_is_no_way_around_that(self, app: ASGIApp, desk: Desk, email: str) -> None:
        async with connect(app) as client:
            assert (await join(client, desk, email)).status_code == 200
        async with desk.product.database.transaction():
            link = (await make_setup_link(desk.caller.workspace_id)).partition("#")[2]
        codes: list[int] = []
        for number in range(PERSON_RATE.burst + 2):
            async with connect(app) as client:
                body = {"link": link, "email": email, "name": "Eve", "password": f"guess number {number}"}
                codes.append((await client.post("/auth/join", json=body)).status_code)
        assert codes[0] == 409
        assert codes[-1] == 429

    async def test_one_address_cannot_try_everybody(self, app: ASGIApp, email: str) -> None:
        async with connect(app) as client:
            answers = [await client.post("/auth/sign-in", json={"email": email}) for _ in range(30)]
        problem_of(answers[0], 422, "INVALID_ARGUMENT")
        problem_of(answers[-1], 429, "RATE_LIMIT_EXCEEDED")


class TestCookie:
    async def test_over_http(self, http: httpx2.AsyncClient, desk: Desk, email: str) -> None:
        cookie = (await join(http, desk, email)).headers["set-cookie"]
        assert cookie.startswith("chatwright=")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))

    async def test_over_https(self, secure_app: ASGIApp, desk: Desk, email: str) -> None:
        async with connect(secure_app, url="https://chat.example") as client:
            answer = await join(client, desk, email)
            assert answer.headers["set-cookie"].startswith("__Host-chatwright=")
            assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(
                answer.headers["set-cookie"].split("; ")
            )
            assert "max-age" in answer.headers["strict-transport-security"]
            assert (await client.get("/auth/me")).status_code == 200


class TestForgery:
    """A session rides on every request of the browser, also on those that other sites cause."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "same-origin"},
            {"origin": "http://testserver"},
        ],
    )
    async def test_own_pages_may_write(self, person: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        answer = await person.patch("/api/v1/workspace", json={"name": "Mine"}, headers=headers)
        assert answer.json()["name"] == "Mine"
        (record, *_) = (await person.get("/api/v1/audit")).json()["items"]
        assert (record["surface"], record["principal"]["name"]) == ("web", "Ada")

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        ],
    )
    async def test_other_sites_may_not(self, person: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        answer = await person.patch("/api/v1/workspace", json={"name": "Theirs"}, headers=headers)
        problem_of(answer, 403, "FORBIDDEN")
        problem_of(await person.post("/auth/sign-out", headers=headers), 403, "FORBIDDEN")
        assert (await person.get("/api/v1/workspace")).json()["name"] == "Test"

    @pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/join"])
    async def test_no_site_signs_a_visitor_in_as_somebody_else(
        self, http: httpx2.AsyncClient, path: str
    ) -> None:
        answer = await http.post(path, json={}, headers={"origin": "https://evil.example"})
        problem_of(answer, 403, "FORBIDDEN")

    async def test_a_token_needs_no_such_proof(self, api: httpx2.AsyncClient) -> None:
        headers = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
        answer = await api.patch("/api/v1/workspace", json={"name": "B"}, headers=headers)
        assert answer.status_code == 200


class TestTokens:
    @pytest.mark.parametrize(
        "authorization", ["", "Bearer", "Bearer nonsense", "Basic Y3c6Y3c=", "Bearer cw_unknown"]
    )
    async def test_anything_but_a_working_token_is_refused(
        self, http: httpx2.AsyncClient, authorization: str
    ) -> None:
        answer = await http.get("/api/v1/workspace", headers={"authorization": authorization})
        problem_of(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_without_one_everything_but_the_document_is_closed(self, http: httpx2.AsyncClient) -> None:
        for path in ("/api/v1/workspace", "/api/v1/audit/export", "/auth/me"):
            problem_of(await http.get(path), 401, "UNAUTHENTICATED")

    async def test_a_bad_token_does_not_fall_back_to_the_session(self, person: httpx2.AsyncClient) -> None:
        answer = await person.get("/auth/me", headers={"authorization": "Bearer cw_unknown"})
        problem_of(answer, 401, "UNAUTHENTICATED")
