"""The pages and files that the server shows by itself, and what machines ask it."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from starlette.types import ASGIApp

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.infra.database import PoolDatabase, open_pool
from tests.conftest import Desk
from tests.surfaces.http.conftest import connect, join
from tests.surfaces.http.test_rest import problem_of

PAGES = ("/", "/demo", "/join")


class Elements(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    async def test_no_script_or_style_stands_in_a_page(self, http: httpx2.AsyncClient, path: str) -> None:
        answer = await http.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        elements = Elements(answer.text).found
        assert all(attributes.get("src") for tag, attributes in elements if tag == "script")
        assert "style" not in {tag for tag, _ in elements}
        assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
        assert not [attributes for _, attributes in elements if "style" in attributes]

    @pytest.mark.parametrize("path", PAGES)
    async def test_every_file_of_a_page_is_there(self, http: httpx2.AsyncClient, path: str) -> None:
        elements = Elements((await http.get(path)).text).found
        links = [attributes.get("href") for tag, attributes in elements if tag == "link"]
        scripts = [attributes.get("src") for tag, attributes in elements if tag == "script"]
        for address in {*links, *scripts} - {"/widget.js"}:
            assert address
            assert (await http.get(address)).status_code == 200

    @pytest.mark.parametrize("path", PAGES)
    async def test_a_page_says_its_language_and_labels_its_fields(
        self, http: httpx2.AsyncClient, path: str
    ) -> None:
        elements = Elements((await http.get(path)).text).found
        assert ("html", {"lang": "en"}) in elements
        tags = [tag for tag, _ in elements]
        assert tags.count("h1") == 1
        shown = [tag for tag, attributes in elements if tag == "input" and attributes.get("type") != "hidden"]
        assert len(shown) == tags.count("label")

    async def test_who_is_signed_in_sees_how_to_connect(self, http: httpx2.AsyncClient, desk: Desk) -> None:
        await join(http, desk, f"{uuid4().hex}@example.com")
        text = (await http.get("/")).text
        assert "Hello, Ada" in text
        assert "http://testserver/mcp" in text
        assert "/api/v1/tokens" in text

    async def test_names_are_text_in_a_page(self, http: httpx2.AsyncClient, desk: Desk) -> None:
        await join(http, desk, f"{uuid4().hex}@example.com")
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update users set name = '<script>$version</script>' where id = "
                "(select user_id from members where workspace_id = $1)",
                desk.caller.workspace_id,
            )
        assert "Hello, &lt;script&gt;$version&lt;/script&gt;" in (await http.get("/")).text

    async def test_a_person_gets_a_page_for_an_unknown_address(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/nothing", headers={"accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        problem_of(await http.get("/nothing"), 404, "NOT_FOUND")

    @pytest.mark.parametrize("path", [*PAGES, "/api/v1/workspace", "/assets/chatwright.js", "/healthz"])
    async def test_every_answer_carries_the_security_headers(
        self, http: httpx2.AsyncClient, path: str
    ) -> None:
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]

    @pytest.mark.parametrize("path", [*PAGES, "/assets/chatwright.js"])
    async def test_what_a_browser_shows_carries_those_of_pages_too(
        self, http: httpx2.AsyncClient, path: str
    ) -> None:
        headers = (await http.get(path)).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["permissions-policy"].startswith("camera=()")


class TestFiles:
    async def test_a_known_file_is_not_sent_again(self, http: httpx2.AsyncClient) -> None:
        first = await http.get("/assets/chatwright.css")
        again = await http.get("/assets/chatwright.css", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_it_is_compressed_for_who_can_read_that(self, http: httpx2.AsyncClient) -> None:
        packed = await http.get("/assets/chatwright.css", headers={"accept-encoding": "gzip"})
        plain = await http.get("/assets/chatwright.css", headers={"accept-encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])

    async def test_a_changed_file_is_read_anew(self, tmp_path: Path, widget: "Widget") -> None:
        (tmp_path / "widget.js").write_text("one")
        first = await widget.get()
        (tmp_path / "widget.js").write_text("two, longer")
        second = await widget.get()
        assert (first.text, second.text) == ("one", "two, longer")
        assert first.headers["etag"] != second.headers["etag"]

    async def test_the_widget_may_stand_on_any_site(self, tmp_path: Path, widget: "Widget") -> None:
        (tmp_path / "widget.js").write_text("one")
        headers = (await widget.get()).headers
        assert headers["content-type"] == "text/javascript; charset=utf-8"
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert "max-age=600" in headers["cache-control"]

    async def test_a_widget_that_was_not_built_says_so(self, widget: "Widget") -> None:
        problem = problem_of(await widget.get(), 503, "UNAVAILABLE")
        assert problem.hint is not None
        assert "./dev setup" in problem.hint


class Widget:
    """/widget.js of a server whose static folder is the test's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def get(self) -> httpx2.Response:
        async with connect(self._app) as client:
            return await client.get("/widget.js")


@pytest.fixture
def widget(product: Product, tmp_path: Path) -> Widget:
    return Widget(build_app(product, static=tmp_path))


class TestHealth:
    async def test_well(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/healthz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": "0.1.0"}

    async def test_unwell_without_its_database(self, product: Product) -> None:
        assert product.settings.database_url
        pool = await open_pool(product.settings.database_url, size=1)
        broken = replace(product, database=PoolDatabase(pool, product.signals))
        await pool.close()
        async with connect(build_app(broken)) as client:
            answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


class TestMetrics:
    async def test_this_machine_may_read_them(self, app: ASGIApp) -> None:
        async with connect(app, address="127.0.0.1") as client:
            await client.get(f"/api/v1/tokens/{uuid4()}")
            await client.get(f"/{uuid4()}")
            text = (await client.get("/metrics")).text
        assert 'chatwright_http_requests_total{method="GET",route="unknown",status="404"}' in text

    @pytest.mark.parametrize(
        ("address", "headers"), [("203.0.113.7", {}), ("127.0.0.1", {"x-forwarded-for": "203.0.113.7"})]
    )
    async def test_others_may_not(self, app: ASGIApp, address: str, headers: dict[str, str]) -> None:
        async with connect(app, address=address) as client:
            problem_of(await client.get("/metrics", headers=headers), 403, "FORBIDDEN")

    async def test_with_a_token_only_its_bearer_may(self, product: Product) -> None:
        settings = replace(product.settings, metrics_token="s3cret")
        async with connect(build_app(replace(product, settings=settings)), address="127.0.0.1") as client:
            problem_of(await client.get("/metrics"), 401, "UNAUTHENTICATED")
            wrong = await client.get("/metrics", headers={"authorization": "Bearer other"})
            problem_of(wrong, 401, "UNAUTHENTICATED")
            answer = await client.get("/metrics", headers={"authorization": "Bearer s3cret"})
            assert answer.status_code == 200

    async def test_ids_make_no_series_of_their_own(self, app: ASGIApp, api: httpx2.AsyncClient) -> None:
        token_id = uuid4()
        await api.delete(f"/api/v1/tokens/{token_id}")
        async with connect(app, address="127.0.0.1") as client:
            text = (await client.get("/metrics")).text
        assert str(token_id) not in text
        assert 'method="DELETE",route="/api/v1/tokens/{token_id}",status="404"' in text
