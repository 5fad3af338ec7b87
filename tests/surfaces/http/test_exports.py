"""Files that exports make."""

from uuid import uuid4

import httpx2

from chatwright.features.contacts.exports.jobs import export_ledger
from chatwright.features.contacts.exports.operations import start_export
from chatwright.features.contacts.operations import create_contact
from chatwright.infra.claimer import Claimer
from tests.conftest import Desk
from tests.surfaces.http.conftest import audited, token_of
from tests.surfaces.http.test_rest import problem_of


def path_of(export_id: object) -> str:
    return f"/api/v1/exports/{export_id}/content"


async def finished_export(desk: Desk) -> str:
    await desk.call(create_contact, name="Đặng Hồng")
    started = await desk.call(start_export)
    product = desk.product
    claimer = Claimer(product.database, product.signals, export_ledger(product.storage))
    while await claimer.run_once():
        pass
    return started["id"]


class TestDownload:
    async def test_the_file_of_a_finished_export(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        answer = await api.get(path_of(await finished_export(desk)))
        assert answer.status_code == 200
        assert "Đặng Hồng" in answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
        assert int(answer.headers["content-length"]) == len(answer.content)

    async def test_there_is_none_before_the_end(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        started = await desk.call(start_export)
        problem_of(await api.get(path_of(started["id"])), 404, "EXPORT_NOT_FOUND")

    async def test_another_workspaces_file_is_not_there(
        self, api: httpx2.AsyncClient, stranger: Desk
    ) -> None:
        for export_id in (await finished_export(stranger), uuid4()):
            problem_of(await api.get(path_of(export_id)), 404, "EXPORT_NOT_FOUND")

    async def test_the_scope_is_asked_for(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        token = await token_of(desk, scopes=["conversations:read"])
        headers = {"authorization": f"Bearer {token}"}
        answer = await http.get(path_of(await finished_export(desk)), headers=headers)
        problem_of(answer, 403, "INSUFFICIENT_SCOPE")
        assert await audited(desk, "exports.download") == [("refused", "INSUFFICIENT_SCOPE")]

    async def test_a_query_string_is_refused(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        answer = await api.get(path_of(await finished_export(desk)), params={"page": "2"})
        problem_of(answer, 422, "INVALID_ARGUMENT")
