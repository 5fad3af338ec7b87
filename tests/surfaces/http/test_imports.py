"""Files for imports."""

import httpx2

from chatwright.features.contacts.imports.models import MAX_FILE
from chatwright.kernel.ids import new_id
from chatwright.surfaces.http.reading import BODY_LIMIT
from tests.conftest import Desk
from tests.features.contacts.test_imports import counts, work
from tests.features.messaging.paper import paper_inbox
from tests.surfaces.http.conftest import audited, token_of
from tests.surfaces.http.test_rest import problem_of

UPLOAD = "/api/v1/imports/files"
ROWS = 2500


def files_of(desk: Desk) -> list[str]:
    folder = desk.product.settings.data / "files" / str(desk.caller.workspace_id)
    return [path.name for path in folder.rglob("*") if path.is_file()]


def large_csv() -> bytes:
    """More than a JSON body may hold; the last row cannot be taken."""
    story = "x" * 500
    rows = [f"Đặng {number},n{number}@example.com,{story}" for number in range(ROWS - 1)]
    return "\n".join(["name,email,story", *rows, "Nobody,no address,"]).encode()


class TestUpload:
    async def test_a_large_file_becomes_contacts(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        content = large_csv()
        assert len(content) > BODY_LIMIT
        uploaded = (await api.post(UPLOAD, content=content, headers={"content-type": "text/csv"})).json()
        assert uploaded["size"] == len(content)
        key = {"storage_key": uploaded["storage_key"]}
        started = (await api.post("/api/v1/imports", json=key)).json()
        await work(desk)
        done = (await api.get(f"/api/v1/imports/{started['id']}")).json()
        assert (done["state"], counts(done)) == ("done", (ROWS, ROWS - 1, 0, 0, 1))
        (error,) = (await api.get(f"/api/v1/imports/{started['id']}/errors")).json()["items"]
        assert (error["row"], error["column"]) == (ROWS + 1, "email")
        (found,) = (await api.get("/api/v1/contacts", params={"query": "n1234@example.com"})).json()["items"]
        assert found["name"] == "Đặng 1234"
        assert files_of(desk) == []

    async def test_another_workspace_cannot_take_it(
        self, api: httpx2.AsyncClient, http: httpx2.AsyncClient, stranger: Desk
    ) -> None:
        uploaded = (await api.post(UPLOAD, content=b"name\nAnna\n")).json()
        headers = {"authorization": f"Bearer {await token_of(stranger)}"}
        key = {"storage_key": uploaded["storage_key"]}
        answer = await http.post("/api/v1/imports", json=key, headers=headers)
        problem_of(answer, 422, "INVALID_ARGUMENT")

    async def test_too_large_a_file_leaves_nothing(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        problem_of(await api.post(UPLOAD, content=b"x" * (MAX_FILE + 1)), 413, "PAYLOAD_TOO_LARGE")
        assert files_of(desk) == []

    async def test_who_may_not_import_may_not_upload(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        reader = await token_of(desk, scopes=["contacts:read"])
        limited = await token_of(desk, inbox_ids=[str(await paper_inbox(desk))])
        for token, code in ((reader, "INSUFFICIENT_SCOPE"), (limited, "FORBIDDEN")):
            headers = {"authorization": f"Bearer {token}"}
            problem_of(await http.post(UPLOAD, content=b"x", headers=headers), 403, code)
        assert files_of(desk) == []
        trail = await audited(desk, "imports.upload")
        assert trail == [("refused", "FORBIDDEN"), ("refused", "INSUFFICIENT_SCOPE")]

    async def test_a_query_string_is_refused(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post(UPLOAD, params={"name": str(new_id())}, content=b"x")
        problem_of(answer, 422, "INVALID_ARGUMENT")
