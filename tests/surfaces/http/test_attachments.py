"""Files in and out over HTTP."""

from pathlib import Path

import pytest
from starlette.types import ASGIApp

from chatwright.app.wiring import Product
from tests.conftest import Desk
from tests.surfaces.http.conftest import connect, token_of

PICTURE = bytes(range(256)) * 4000


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def stored(product: Product, desk: Desk) -> list[Path]:
    folder = product.settings.data / "files" / str(desk.caller.workspace_id)
    return [path for path in folder.rglob("*") if path.is_file()]


class TestUpload:
    async def test_what_went_in_comes_out(self, app: ASGIApp, desk: Desk) -> None:
        async with connect(app, headers=bearer(await token_of(desk))) as client:
            made = await client.post(
                "/api/v1/attachments",
                params={"filename": "Ảnh 1.png"},
                content=PICTURE,
                headers={"content-type": "image/png"},
            )
            assert made.status_code == 200
            facts = made.json()
            assert (facts["filename"], facts["media_type"], facts["size"]) == (
                "Ảnh 1.png",
                "image/png",
                len(PICTURE),
            )
            shown = await client.get(f"/api/v1/attachments/{facts['id']}")
            assert shown.json() == facts
            content = await client.get(f"/api/v1/attachments/{facts['id']}/content")
        assert content.content == PICTURE
        assert content.headers["content-disposition"].startswith("attachment;")
        assert "sandbox" in content.headers["content-security-policy"]

    async def test_too_much_is_refused_and_leaves_nothing(
        self, app: ASGIApp, desk: Desk, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatwright.surfaces.http.attachments.UPLOAD_LIMIT", 1000)
        async with connect(app, headers=bearer(await token_of(desk))) as client:
            refused = await client.post("/api/v1/attachments", params={"filename": "a"}, content=b"x" * 1001)
        assert (refused.status_code, refused.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert stored(product, desk) == []

    async def test_a_nameless_file_is_refused_and_leaves_nothing(
        self, app: ASGIApp, desk: Desk, product: Product
    ) -> None:
        async with connect(app, headers=bearer(await token_of(desk))) as client:
            refused = await client.post("/api/v1/attachments", content=b"x")
        assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_ARGUMENT")
        assert stored(product, desk) == []

    async def test_a_reader_may_not_upload(self, app: ASGIApp, desk: Desk) -> None:
        async with connect(app, headers=bearer(await token_of(desk, read_only=True))) as client:
            refused = await client.post("/api/v1/attachments", params={"filename": "a"}, content=b"x")
        assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_SCOPE")


class TestDownload:
    async def test_another_workspace_finds_nothing(self, app: ASGIApp, desk: Desk, stranger: Desk) -> None:
        async with connect(app, headers=bearer(await token_of(desk))) as client:
            made = await client.post("/api/v1/attachments", params={"filename": "a"}, content=b"x")
        async with connect(app, headers=bearer(await token_of(stranger))) as client:
            refused = await client.get(f"/api/v1/attachments/{made.json()['id']}/content")
        assert (refused.status_code, refused.json()["code"]) == (404, "ATTACHMENT_NOT_FOUND")
