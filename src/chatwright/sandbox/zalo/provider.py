"""The provider `zalo`: its three hosts below one path, its accounts and its people."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Action, CannotDo, NewAccount, NewPerson
from chatwright.sandbox.server import CutOff
from chatwright.sandbox.world import Account, Bubble, Media, Person, World, unique
from chatwright.sandbox.zalo import tokens
from chatwright.sandbox.zalo.account import CALLS_PER_MINUTE, DAILY_TEMPLATES, OfficialAccount, template_from
from chatwright.sandbox.zalo.asking import Asking
from chatwright.sandbox.zalo.deeds import Deeds
from chatwright.sandbox.zalo.events import Events, message_id
from chatwright.sandbox.zalo.refusals import Refused
from chatwright.sandbox.zalo.sending import AnswerLost, Broken, Sending

Call = Callable[[OfficialAccount, Mapping[str, Any]], Awaitable[Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Zalo:
    """See `sandbox.provider.Provider`."""

    prefix: ClassVar[str] = "zalo"
    kinds: ClassVar[frozenset[str]] = frozenset({"zalo"})

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._events = Events(world, hooks)
        self._sending = Sending(world, hooks, self._events)
        self._asking = Asking(world)
        self._deeds = Deeds(world, self._events, self._sending)

    def routes(self) -> Sequence[BaseRoute]:
        """The hosts of OAuth, of the open API and of phone templates: no path of one is another's."""
        posts: Mapping[str, Call] = {
            "/v3.0/oa/message/cs": self._sending.care,
            "/v3.0/oa/message/template": self._sending.template,
            "/message/template": self._sending.phone_template,
            "/v2.0/oa/message": self._sending.other,
            "/v3.0/oa/message/transaction": _shut_down,
            "/v3.0/oa/message/promotion": _shut_down,
            "/v3.0/oa/quota/message": self._asking.quota,
        }
        gets: Mapping[str, Call] = {
            "/v2.0/oa/getoa": self._asking.account,
            "/v3.0/oa/user/detail": self._asking.user,
            "/v3.0/oa/user/getlist": self._asking.users,
        }
        plain_gets: Mapping[str, Call] = {
            "/template/all": self._asking.templates,
            "/template/info/v2": self._asking.template,
        }
        return [
            Route("/v4/oa/permission", self._permit, methods=["GET"]),
            Route("/v4/oa/access_token", self._grant, methods=["POST"]),
            Route("/v2.0/oa/upload/{kind}", self._upload, methods=["POST"]),
            Route("/shared/{name}", self._fetch, methods=["GET"]),
            *(
                Route(path, self._endpoint(call, _json_body), methods=["POST"])
                for path, call in posts.items()
            ),
            *(Route(path, self._endpoint(call, _data_query), methods=["GET"]) for path, call in gets.items()),
            *(
                Route(path, self._endpoint(call, _query), methods=["GET"])
                for path, call in plain_gets.items()
            ),
        ]

    def create_account(self, new: NewAccount) -> OfficialAccount:
        """Make an account with its app and a first pair of tokens.

        `details` may have `mac_form` (app_id, oa_id or mixed), `mac_prefix`, `templates`, `daily_quota`,
        `calls_per_minute`, `redirect_uri` and `inactive`.
        """
        made_up = {
            "app_id": _digits(19),
            "app_secret": unique()[-20:],
            "oa_secret": unique()[-20:],
        }
        account = OfficialAccount(
            kind=new.kind,
            id=new.id or _digits(19),
            name=new.name,
            secrets=made_up | new.secrets,
            webhook_url=new.webhook_url,
            details=dict(new.details),
            daily_quota=int(new.details.get("daily_quota", DAILY_TEMPLATES)),
            calls_per_minute=int(new.details.get("calls_per_minute", CALLS_PER_MINUTE)),
        )
        for described in new.details.get("templates", _DEMO_TEMPLATES):
            template = template_from(described)
            account.templates[template.id] = template
        tokens.issue(account, self._world.clock)
        for name, lives in (
            ("access_token", account.access_tokens),
            ("refresh_token", account.refresh_tokens),
        ):
            if (given := new.secrets.get(name)) is not None:
                lives[given] = lives.pop(account.secrets[name])
                account.secrets[name] = given
        return account

    def create_person(self, account: Account, new: NewPerson) -> Person:  # noqa: ARG002 - the protocol's.
        """Make somebody who neither follows the account nor ever wrote to it."""
        return Person(
            id=new.id or _digits(19),
            name=new.name,
            username=new.username,
            phone=new.phone,
            locale=new.locale,
            details=dict(new.details),
        )

    async def act(self, account: Account, person: Person, action: Action) -> str | None:
        """Do what somebody does in their app."""
        return self._deeds.do(_official(account), person, action)

    async def occur(self, account: Account, name: str, values: dict[str, Any]) -> str | None:
        """Let something happen: `expire_token`, `new_day`, `staff_message`, or any event by its name.

        `staff_message` is a person who writes in the account's own chat tool: `user_id`, `text` and `admin_id`.
        """
        official = _official(account)
        match name:
            case "expire_token":
                official.access_tokens[official.secrets["access_token"]] = self._world.clock.now()
            case "new_day":
                official.sent_today = 0
            case "staff_message":
                return self._staff_message(official, values)
            case _:
                self._events.tell(official, name, {"oa_id": official.id, **values})
        return None

    def _staff_message(self, account: OfficialAccount, values: Mapping[str, Any]) -> str:
        person = account.person(str(values.get("user_id", "")))
        text = str(values.get("text", ""))
        bubble = Bubble(message_id(), "account", "text", self._world.clock.stamp(), text, tick="sent")
        person.thread.add(bubble)
        parts = {
            "sender": {"id": account.id, "admin_id": str(values.get("admin_id", "1001"))},
            "recipient": {"id": person.id},
            "message": {"msg_id": bubble.id, "text": text},
        }
        self._events.tell(account, "oa_send_text", parts)
        self._world.touch(account, person)
        return bubble.id

    def _endpoint(self, call: Call, read: Callable[[Request], Awaitable[Mapping[str, Any]]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            async def answer(account: OfficialAccount) -> Any:  # noqa: ANN401 - any JSON.
                return await call(account, await read(request))

            return await self._answered(request, answer)

        return endpoint

    async def _answered(
        self, request: Request, answer: Callable[[OfficialAccount], Awaitable[Any]]
    ) -> Response:
        """What every call of the API shares: its token, its allowance, its form of an answer."""
        headers: dict[str, str] = {}
        try:
            account = self._holder(request.headers.get("access_token", ""))
            await asyncio.sleep(account.faults.latency)
            headers = self._count(account)
            data = await answer(account)
        except Refused as refusal:
            return JSONResponse(refusal.body(), headers=headers)
        except Broken:
            return Response("Internal Server Error", 500)
        except AnswerLost:
            return CutOff()
        return JSONResponse({"data": data, "error": 0, "message": "Success"}, headers=headers)

    def _holder(self, token: str) -> OfficialAccount:
        for account in self._world.accounts("zalo"):
            official = _official(account)
            if token in official.access_tokens:
                tokens.check(official, token, self._world.clock)
                return official
        raise Refused(-216)

    def _count(self, account: OfficialAccount) -> dict[str, str]:
        now = self._world.clock.now()
        if account.calls_left(now) <= 0:
            raise Refused(-32)
        account.calls.append(now)
        return {
            "X-RateLimit-Limit": str(account.calls_per_minute),
            "X-RateLimit-Remain": str(account.calls_left(now)),
        }

    async def _upload(self, request: Request) -> Response:
        async def answer(account: OfficialAccount) -> Any:  # noqa: ANN401 - any JSON.
            if request.path_params["kind"] not in {"image", "gif", "file"}:
                raise Refused(-240)
            return await self._asking.upload(account, request)

        return await self._answered(request, answer)

    async def _permit(self, request: Request) -> Response:
        asked = dict(request.query_params)
        try:
            account = self._app(asked.get("app_id", ""), asked.get("oa_id"))
            return RedirectResponse(tokens.permit(account, asked, self._world.clock))
        except Refused as refusal:
            return JSONResponse(refusal.oauth_body())

    async def _grant(self, request: Request) -> Response:
        async with request.form() as posted:
            form = {name: value for name, value in posted.items() if isinstance(value, str)}
        try:
            account = self._meant(form)
            pair = tokens.grant(account, form, request.headers.get("secret_key", ""), self._world.clock)
        except Refused as refusal:
            return JSONResponse(refusal.oauth_body())
        self._world.touch(account)
        return JSONResponse(pair)

    def _meant(self, form: Mapping[str, str]) -> OfficialAccount:
        """Of an app's accounts the one whose code or token this is; any, when it is none's."""
        app = [
            official
            for account in self._world.accounts("zalo")
            if (official := _official(account)).app_id == form.get("app_id")
        ]
        if not app:
            raise Refused(-14002)
        held = {form.get("code"), form.get("refresh_token")}
        return next((one for one in app if held & (one.codes.keys() | one.refresh_tokens.keys())), app[0])

    def _app(self, app_id: str, oa_id: str | None) -> OfficialAccount:
        for account in self._world.accounts("zalo"):
            official = _official(account)
            if official.app_id == app_id and oa_id in {None, official.id}:
                return official
        raise Refused(-14002)

    async def _fetch(self, request: Request) -> Response:
        media = self._shared(request.path_params["name"])
        if media is None:
            return Response(status_code=404)
        return Response(media.content, media_type=media.mime_type)

    def _shared(self, name: str) -> Media | None:
        """A file that a person sent, or that an app uploaded."""
        if (sent := self._deeds.shared.get(name)) is not None:
            return sent
        uploads = (_official(account).assets.get(name) for account in self._world.accounts("zalo"))
        return next((asset.media for asset in uploads if asset is not None), None)


_DEMO_TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "300001",
        "name": "Order on its way",
        "params": ["name", "order"],
        "text": "Hello <name>, your order <order> is on its way.",
    }
]


async def _shut_down(_: OfficialAccount, __: Mapping[str, Any]) -> Any:  # noqa: ANN401 - it never returns.
    raise Refused(-240)


async def _json_body(request: Request) -> Mapping[str, Any]:
    return _object(await request.body(), "body")


async def _data_query(request: Request) -> Mapping[str, Any]:
    """GET parameters are one query parameter that holds JSON."""
    return _object(request.query_params.get("data", "{}").encode(), "data")


async def _query(request: Request) -> Mapping[str, Any]:
    return dict(request.query_params)


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    try:
        found: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Refused(-201, what)
    return cast("Mapping[str, Any]", found)


def _digits(count: int) -> str:
    """An id of so many digits, more than a float can hold exactly."""
    return str(10 ** (count - 1) + secrets.randbelow(9 * 10 ** (count - 1)))


def _official(account: Account) -> OfficialAccount:
    if not isinstance(account, OfficialAccount):
        raise CannotDo(f"{account.kind} is not an account of Zalo.")
    return account
