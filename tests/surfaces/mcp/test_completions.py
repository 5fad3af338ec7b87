"""Completion of prompts' arguments and of resource templates."""

import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.operations import create_contact
from chatwright.features.contacts.segments.operations import create_segment
from chatwright.features.contacts.tags.operations import create_tag
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import letter
from tests.surfaces.mcp.server import ERAS, connected, token_of

NAMED = {"type": "text", "field": "name", "operator": "is_set"}


def template(uri: str) -> ResourceTemplateReference:
    return ResourceTemplateReference(uri=f"chatwright://{uri}")


@pytest.mark.parametrize("mode", ERAS)
class TestCompletion:
    async def test_a_conversation_by_its_contacts_name_or_the_beginning_of_its_id(
        self, mcp_url: str, post: Post, mode: str
    ) -> None:
        await post.receive(
            letter("hi", sender="ann", name="Ann Nguyễn"), letter("yo", sender="bob", name="Bob")
        )
        ids = {found["contact_name"]: found["id"] for found in await post.conversations()}
        prompt = PromptReference(name="draft_reply")
        async with connected(mcp_url, await token_of(post.desk), mode) as client:

            async def values(typed: str, argument: str = "conversation_id") -> list[str]:
                found = await client.complete(prompt, {"name": argument, "value": typed})
                return found.completion.values

            assert await values("nguyễn") == [ids["Ann Nguyễn"]]
            assert await values(ids["Bob"][:-1]) == [ids["Bob"]]
            assert sorted(await values("")) == sorted(ids.values())
            assert await values("zz") == []
            assert await values("", "guidance") == []

    async def test_a_contact_by_words_as_the_search_takes_them(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        ann = await desk.call(create_contact, name="Hà Nguyễn", emails=["ha@example.com"])
        await desk.call(create_contact, name="Bob")
        async with connected(mcp_url, await token_of(desk), mode) as client:
            for typed in ("nguyen", "ha@example", ann["id"][:20]):
                found = await client.complete(template("contacts/{id}"), {"name": "id", "value": typed})
                assert found.completion.values == [ann["id"]]

    async def test_names_where_they_identify_and_ids_where_they_do_not(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        one = await desk.call(create_segment, name="One", filter=NAMED)
        twins = [await desk.call(create_segment, name="Twin", filter=NAMED) for _ in range(2)]
        await desk.call(create_tag, name="VIP")
        await desk.call(create_field, key="shoe_size", kind="number", label="Shoe size")
        async with connected(mcp_url, await token_of(desk), mode) as client:

            async def values(uri: str, typed: str) -> list[str]:
                return (
                    await client.complete(template(uri), {"name": "id", "value": typed})
                ).completion.values

            assert await values("segments/{id}", "on") == ["One"]
            assert await values("segments/{id}/contacts{?cursor}", one["id"]) == [one["id"]]
            assert sorted(await values("segments/{id}", "twin")) == sorted(twin["id"] for twin in twins)
            assert await values("tags/{id}{?cursor}", "v") == ["VIP"]
            assert await values("fields/{id}", "shoe") == ["shoe_size"]

    async def test_words_to_choose_from(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            found = await client.complete(
                PromptReference(name="weekly_report"), {"name": "period", "value": "last 7"}
            )
        assert found.completion.values == ["the last 7 days"]

    async def test_nothing_that_the_token_may_not_list(self, mcp_url: str, post: Post, mode: str) -> None:
        await post.begin()
        async with connected(mcp_url, await token_of(post.desk, "workspace:read"), mode) as client:
            found = await client.complete(template("conversations/{id}"), {"name": "id", "value": ""})
        assert found.completion.values == []

    @pytest.mark.parametrize("reference", [PromptReference(name="sing"), template("moon/{id}")])
    async def test_for_what_is_not_there(
        self, mcp_url: str, desk: Desk, reference: PromptReference | ResourceTemplateReference, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.complete(reference, {"name": "id", "value": ""})
        assert caught.value.code == -32602
