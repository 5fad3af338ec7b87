"""The provider `telegram`: its paths, its accounts and its people."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Action, CannotDo, NewAccount, NewPerson
from chatwright.sandbox.server import CutOff
from chatwright.sandbox.telegram.bot import Allowance, Bot, Webhook, username_of
from chatwright.sandbox.telegram.chats import GROUP_TYPES
from chatwright.sandbox.telegram.deeds import Deeds, new_group_id
from chatwright.sandbox.telegram.files import fetched
from chatwright.sandbox.telegram.methods import Methods
from chatwright.sandbox.telegram.parameters import read_parameters
from chatwright.sandbox.telegram.refusals import Refused, not_found, unauthorized
from chatwright.sandbox.telegram.sending import AnswerLost
from chatwright.sandbox.world import Account, Person, World, unique

_TOKEN = re.compile(r"\d+:[\w-]{20,}")

LONG_AGO = 1_600_000_000
"""In Unix seconds. Numbers of updates and messages begin with the seconds since then: nobody has one each second."""


class Telegram:
    """See `sandbox.provider.Provider`."""

    prefix: ClassVar[str] = "telegram"
    kinds: ClassVar[frozenset[str]] = frozenset({"telegram"})

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._methods = Methods(world, hooks)
        self._deeds = Deeds(world, self._methods.updates)

    def routes(self) -> Sequence[BaseRoute]:
        """The Bot API and its files."""
        return [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._file, methods=["GET"]),
        ]

    def create_account(self, new: NewAccount) -> Bot:
        """Make a bot.

        `details` may set limits (`per_second`, `chat_per_second`, `group_per_minute`), and `strict_webhooks`,
        which refuses webhooks without HTTPS as the public server does.
        """
        token = new.secrets.get("token", "")
        number = new.id or token.partition(":")[0] or str(7_000_000_000 + int(unique()[-7:], 16))
        limits = {
            name: new.details[name]
            for name in ("per_second", "chat_per_second", "group_per_minute")
            if name in new.details
        }
        secrets = {"token": token or f"{number}:AA{unique()}", **new.secrets}
        webhook = Webhook(new.webhook_url, secrets.get("secret_token", "")) if new.webhook_url else None
        # A bot of the same name may come back after a restart: its numbers must go on then, not begin again.
        number_before = int(self._world.clock.stamp().timestamp()) - LONG_AGO
        return Bot(
            kind=new.kind,
            id=number,
            name=new.name,
            secrets=secrets,
            webhook_url=new.webhook_url,
            details=dict(new.details),
            username=str(new.details.get("username") or username_of(new.name)),
            webhook=webhook,
            allowance=Allowance(**limits),
            last_update_id=number_before,
            last_message_id=number_before,
        )

    def create_person(self, account: Account, new: NewPerson) -> Person:  # noqa: ARG002 - the protocol's.
        """Make somebody, or a group: that has `chat_type` in its details."""
        group = new.details.get("chat_type") in GROUP_TYPES
        made_up = new_group_id() if group else str(100_000_000 + int(unique()[-7:], 16))
        person_id = new.id or made_up
        if not re.fullmatch(r"-?\d{1,16}", person_id):
            raise CannotDo("Ids in Telegram are whole numbers.")
        return Person(
            id=person_id,
            name=new.name,
            username=new.username,
            phone=new.phone,
            locale=new.locale,
            details=dict(new.details),
        )

    async def act(self, account: Account, person: Person, action: Action) -> str | None:
        """Do what somebody does in their app."""
        return self._deeds.do(_bot(account), person, action)

    async def occur(self, account: Account, name: str, values: dict[str, Any]) -> str | None:
        """`revoke_token` gives the bot a new token; any other name is an update of that kind."""
        bot = _bot(account)
        if name == "revoke_token":
            bot.secrets["token"] = f"{bot.id}:AA{unique()}"
        else:
            self._methods.updates.tell(bot, name, values, lane="")
        return None

    async def _call(self, request: Request) -> Response:
        try:
            bot = self._find(request.path_params["token"])
            parameters = await read_parameters(request)
            result = await self._methods.call(bot, request.path_params["method"], parameters)
        except Refused as refusal:
            waits = {"retry-after": str(refusal.parameters.get("retry_after", ""))}
            headers = waits if waits["retry-after"] else None
            return JSONResponse(refusal.body(), refusal.code, headers)
        except AnswerLost:
            return CutOff()
        return JSONResponse({"ok": True, "result": result})

    async def _file(self, request: Request) -> Response:
        try:
            bot = self._find(request.path_params["token"])
            file = fetched(bot, self._world, request.path_params["path"])
        except Refused as refusal:
            return JSONResponse(refusal.body(), refusal.code)
        await asyncio.sleep(bot.faults.latency)
        return Response(file.content, media_type="application/octet-stream")

    def _find(self, token: str) -> Bot:
        if not _TOKEN.fullmatch(token):
            raise not_found()
        for account in self._world.accounts("telegram"):
            bot = _bot(account)
            if bot.token == token:
                return bot
        raise unauthorized()


def _bot(account: Account) -> Bot:
    if not isinstance(account, Bot):
        raise TypeError(account.kind)
    return account
