"""What is asked about accounts and people: permissions, and names."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatwright.net.graph.client import GraphClient
from chatwright.net.graph.findings import App, find_permissions
from chatwright.net.graph.profiles import find_profile
from chatwright.net.http import Web
from chatwright.ports.inbound import Person
from tests.serving import serving

APP = App("4711", "the app's secret")


@dataclass
class Graph:
    """A Graph API that gives one answer to everything, and notes who asked for what."""

    client: GraphClient
    answer: object = None
    asked: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    async def tell(self, request: Request) -> Response:
        who = request.headers.get("authorization", "")
        self.asked.append((request.url.path, who, request.query_params.get("input_token", "")))
        return JSONResponse(self.answer)


@pytest_asyncio.fixture(loop_scope="session")
async def graph() -> AsyncGenerator[Graph]:
    web = Web(["127.0.0.1"])
    made = Graph(GraphClient(web, "EAAtoken"))
    async with serving(Starlette(routes=[Route("/{path:path}", made.tell)])) as url:
        made.client = GraphClient(web, "EAAtoken", url)
        yield made
    await web.close()


class TestPermissions:
    async def test_the_app_asks_about_the_token(self, graph: Graph) -> None:
        graph.answer = {"data": {"scopes": ["pages_messaging", "pages_manage_metadata"]}}
        assert (await find_permissions(graph.client, APP, ["pages_messaging"])).ok
        assert graph.asked == [("/v26.0/debug_token", "Bearer 4711|the app's secret", "EAAtoken")]

    async def test_what_is_missing_is_named(self, graph: Graph) -> None:
        graph.answer = {"data": {"scopes": ["pages_messaging"]}}
        finding = await find_permissions(graph.client, APP, ["pages_messaging", "leads_retrieval"])
        assert (finding.ok, finding.reaction) == (False, None)
        assert "leads_retrieval" in finding.words
        assert "pages_messaging" not in finding.words

    async def test_an_answer_of_another_shape_grants_nothing(self, graph: Graph) -> None:
        answers: list[object] = [None, "no", {"data": 1}, {"data": {"scopes": {"pages_messaging": True}}}]
        for answer in answers:
            graph.answer = answer
            assert not (await find_permissions(graph.client, APP, ["pages_messaging"])).ok


class TestProfiles:
    async def test_a_name_is_put_together(self, graph: Graph) -> None:
        graph.answer = {"first_name": "Ada", "last_name": "Byron", "locale": "de_AT"}
        assert await find_profile(graph.client, "psid", "42", "x") == Person(
            {"psid": "42"}, name="Ada Byron", locale="de_AT"
        )
        graph.answer = {"username": "ada.byron"}
        found = await find_profile(graph.client, "igsid", "42", "x")
        assert found == Person({"igsid": "42"}, name="ada.byron", username="ada.byron")

    async def test_what_is_no_id_of_a_person_is_not_asked_for(self, graph: Graph) -> None:
        graph.answer = {"name": "Somebody else"}
        for address in ("user_ref:visit-9", "comment:1_2", "", "../me"):
            assert await find_profile(graph.client, "psid", address, "x") is None
        assert graph.asked == []
