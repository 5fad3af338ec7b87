"""The calls that ask, and those that upload."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from chatwright.sandbox.world import Media, Person, World, unique
from chatwright.sandbox.zalo.account import Asset, OfficialAccount, Template
from chatwright.sandbox.zalo.refusals import Refused
from chatwright.sandbox.zalo.sending import FREE_SECONDS, by_app

ASSET_SECONDS = 7 * 24 * 3600
MONTHLY_UPLOADS = 5000
MEGABYTE = 1024 * 1024
UPLOADS = {
    "image": (MEGABYTE, (b"\xff\xd8\xff", b"\x89PNG"), ("jpg", "jpeg", "png")),
    "gif": (5 * MEGABYTE, (b"GIF8",), ("gif",)),
    "file": (5 * MEGABYTE, (), ("pdf", "doc", "docx", "csv")),
}
"""Of each kind: most bytes, how it begins, how its name ends."""
JSON = Mapping[str, Any]


class Asking:
    """Handlers; each returns the answer's `data`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def account(self, account: OfficialAccount, _: JSON) -> JSON:
        """Answer GET /v2.0/oa/getoa."""
        followers = sum(person.follows for person in account.people.values())
        return {
            "oa_id": account.id,
            "name": account.name,
            "description": "",
            "oa_alias": account.name.lower().replace(" ", ""),
            "is_verified": True,
            "oa_type": 2,
            "cate_name": "Shopping",
            "num_follower": followers,
            "avatar": "",
            "cover": "",
            "package_name": "Enterprise",
        }

    async def user(self, account: OfficialAccount, asked: JSON) -> JSON:
        """Answer GET /v3.0/oa/user/detail."""
        person = _known(account, asked)
        shared = person.details.get("shared_info", {})
        last = person.last_said_at.strftime("%d/%m/%Y") if person.last_said_at else ""
        return {
            "user_id": person.id,
            "user_id_by_app": by_app(person),
            "user_external_id": "",
            "display_name": person.name,
            "user_alias": person.name,
            "is_sensitive": False,
            "user_last_interaction_date": last,
            "user_is_follower": person.follows,
            "avatar": person.avatar_url,
            "avatars": {"120": person.avatar_url, "240": person.avatar_url},
            "tags_and_notes_info": {"notes": [], "tag_names": list(person.details.get("tags", []))},
            "shared_info": shared,
        }

    async def users(self, account: OfficialAccount, asked: JSON) -> JSON:
        """Answer GET /v3.0/oa/user/getlist."""
        offset, count = asked.get("offset", 0), asked.get("count", 50)
        if not (isinstance(offset, int) and isinstance(count, int) and offset >= 0 and 0 < count <= 50):
            raise Refused(-201, "offset or count")
        people = list(account.people)
        return {
            "total": len(people),
            "count": len(people[offset : offset + count]),
            "offset": offset,
            "users": [{"user_id": user_id} for user_id in people[offset : offset + count]],
        }

    async def quota(self, account: OfficialAccount, asked: JSON) -> JSON:
        """Answer POST /v3.0/oa/quota/message."""
        person = _known(account, asked)
        last = person.last_said_at
        free = last is not None and last > self._world.clock.since(FREE_SECONDS)
        return {
            "last_interaction": int(last.timestamp() * 1000) if last else 0,
            "cs_reply": {"remain": 8 if free else 0, "total": 8},
            "promotion": {"remain": 1, "total": 1},
        }

    async def templates(self, account: OfficialAccount, _: JSON) -> list[JSON]:
        """Answer GET /template/all."""
        return [_listed(template) for template in account.templates.values()]

    async def template(self, account: OfficialAccount, asked: JSON) -> JSON:
        """Answer GET /template/info/v2."""
        template = account.templates.get(str(asked.get("template_id", "")))
        if template is None:
            raise Refused(-109)
        limits = {"require": True, "type": "STRING", "maxLength": 100, "minLength": 1, "acceptNull": False}
        params = [{"name": name, **limits} for name in template.params]
        return {**_listed(template), "timeout": 7200000, "listParams": params, "listButtons": []}

    async def upload(self, account: OfficialAccount, request: Request) -> JSON:
        """Answer POST /v2.0/oa/upload/image, /gif and /file."""
        kind = request.path_params["kind"]
        async with request.form() as form:
            part = form.get("file")
            content = await part.read() if isinstance(part, UploadFile) else b""
            filename = part.filename or "" if isinstance(part, UploadFile) else ""
            mime_type = part.content_type or "" if isinstance(part, UploadFile) else ""
        _check_upload(kind, content, filename)
        if account.uploads >= MONTHLY_UPLOADS:
            raise Refused(-211, "uploads")
        account.uploads += 1
        name = unique()
        media = Media(kind, mime_type, content, filename=filename)
        media.url = f"{self._world.address}/zalo/shared/{name}"
        account.assets[name] = Asset(media, self._world.clock.after(ASSET_SECONDS))
        return {"token": name} if kind == "file" else {"attachment_id": name}


def _check_upload(kind: str, content: bytes, filename: str) -> None:
    limit, beginnings, endings = UPLOADS[kind]
    if not content or len(content) > limit:
        raise Refused(-201, "file size")
    if filename.lower().rpartition(".")[2] not in endings or (
        beginnings and not content.startswith(beginnings)
    ):
        raise Refused(-201, "file type")


def _known(account: OfficialAccount, asked: JSON) -> Person:
    if (person := account.people.get(str(asked.get("user_id", "")))) is None:
        raise Refused(-201, "user_id")
    return person


def _listed(template: Template) -> dict[str, Any]:
    return {
        "templateId": template.id,
        "templateName": template.name,
        "status": template.status,
        "templateQuality": "HIGH",
        "templateTag": {1: "TRANSACTION", 2: "CUSTOMER_CARE", 3: "PROMOTION"}[template.tag],
    }
