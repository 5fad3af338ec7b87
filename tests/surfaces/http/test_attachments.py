"""Files in and out."""

from uuid import uuid4

import httpx2

from chatwright.features.messaging.attachments.operations import UPLOAD_LIMIT
from chatwright.features.messaging.operations import send_message
from chatwright.features.workspaces.operations import list_audit
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.surfaces.http.conftest import token_of
from tests.surfaces.http.test_rest import problem_of

UPLOAD = "/api/v1/attachments"


async def upload(api: httpx2.AsyncClient, content: bytes, kind: str = "image/png") -> httpx2.Response:
    return await api.post(
        UPLOAD, params={"filename": 'Ảnh "1".png'}, content=content, headers={"content-type": kind}
    )


class TestUpload:
    async def test_what_goes_in_comes_out(self, api: httpx2.AsyncClient) -> None:
        content = bytes(range(256)) * 4096
        made = (await upload(api, content)).json()
        assert (made["filename"], made["media_type"], made["size"]) == ('Ảnh "1".png', "image/png", 2**20)
        assert (await api.get(f"{UPLOAD}/{made['id']}")).json() == made
        answer = await api.get(f"{UPLOAD}/{made['id']}/content")
        assert answer.content == content
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E1%BA%A2nh")

    async def test_a_page_that_somebody_sent_does_not_run(self, api: httpx2.AsyncClient) -> None:
        made = (await upload(api, b"<script>alert(1)</script>", "text/html; charset=utf-8")).json()
        headers = (await api.get(f"{UPLOAD}/{made['id']}/content")).headers
        assert "sandbox" in headers["content-security-policy"]
        assert headers["content-disposition"].startswith("attachment")
        assert headers["x-content-type-options"] == "nosniff"

    async def test_an_empty_file(self, api: httpx2.AsyncClient) -> None:
        made = (await upload(api, b"")).json()
        assert made["size"] == 0
        assert (await api.get(f"{UPLOAD}/{made['id']}/content")).content == b""

    async def test_too_large_a_file_leaves_nothing(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        answer = await upload(api, b"x" * (UPLOAD_LIMIT + 1))
        problem_of(answer, 413, "PAYLOAD_TOO_LARGE")
        folder = desk.product.settings.data / "files" / str(desk.caller.workspace_id)
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    async def test_a_type_that_is_none_leaves_nothing(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        problem_of(await upload(api, b"x", "nonsense"), 422, "INVALID_ARGUMENT")
        folder = desk.product.settings.data / "files" / str(desk.caller.workspace_id)
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    async def test_a_name_is_needed(self, api: httpx2.AsyncClient) -> None:
        problem_of(await api.post(UPLOAD, content=b"x"), 422, "INVALID_ARGUMENT")

    async def test_the_scope_is_asked_for_first(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        token = await token_of(desk, scopes=["conversations:read"])
        headers = {"authorization": f"Bearer {token}"}
        answer = await http.post(UPLOAD, params={"filename": "a"}, content=b"x", headers=headers)
        problem_of(answer, 403, "INSUFFICIENT_SCOPE")
        (record,) = (await desk.call(list_audit, outcome="refused"))["items"]
        assert record["operation"] == "attachments.register"


class TestInboxLimits:
    async def test_a_limited_caller_sees_its_own_files_and_those_of_its_messages(
        self, post: Post, desk: Desk, http: httpx2.AsyncClient
    ) -> None:
        mine, ours = await limited_to(post), {"authorization": f"Bearer {await token_of(desk)}"}
        own = (await http.post(UPLOAD, params={"filename": "own"}, content=b"x", headers=mine)).json()
        sent = (await http.post(UPLOAD, params={"filename": "sent"}, content=b"y", headers=ours)).json()
        kept = (await http.post(UPLOAD, params={"filename": "kept"}, content=b"z", headers=ours)).json()
        conversation = await post.begin()
        content = {"type": "media", "kind": "file", "attachment_id": sent["id"]}
        await desk.call(send_message, conversation_id=conversation["id"], content=content)
        seen = [
            (await http.get(f"{UPLOAD}/{file['id']}/content", headers=mine)).status_code
            for file in (own, sent, kept)
        ]
        assert seen == [200, 200, 404]


async def limited_to(post: Post) -> dict[str, str]:
    token = await token_of(post.desk, inbox_ids=[str(post.inbox_id)])
    return {"authorization": f"Bearer {token}"}


class TestDownload:
    async def test_another_workspaces_file_is_not_there(
        self, api: httpx2.AsyncClient, http: httpx2.AsyncClient, stranger: Desk
    ) -> None:
        made = (await upload(api, b"secret")).json()
        headers = {"authorization": f"Bearer {await token_of(stranger)}"}
        answer = await http.get(f"{UPLOAD}/{made['id']}/content", headers=headers)
        problem_of(answer, 404, "ATTACHMENT_NOT_FOUND")

    async def test_an_unknown_file(self, api: httpx2.AsyncClient) -> None:
        problem_of(await api.get(f"{UPLOAD}/{uuid4()}/content"), 404, "ATTACHMENT_NOT_FOUND")

    async def test_bytes_that_are_lost_are_an_error_not_an_empty_file(
        self, api: httpx2.AsyncClient, desk: Desk
    ) -> None:
        made = (await upload(api, b"x")).json()
        folder = desk.product.settings.data / "files" / str(desk.caller.workspace_id)
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
        problem_of(await api.get(f"{UPLOAD}/{made['id']}/content"), 404, "NOT_FOUND")
