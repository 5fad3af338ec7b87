"""What outlives a restart: accounts, how products are connected to them, and people. What was said does not.

Else a product that was connected yesterday would call with tokens that nobody knows, and hear of nothing.
"""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from chatwright.kernel.errors import ChatwrightError
from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson, Template
from chatwright.sandbox.provider import NewAccount, NewPerson, Provider
from chatwright.sandbox.telegram.bot import Bot, Webhook
from chatwright.sandbox.world import Account, Person, World
from chatwright.sandbox.zalo.account import OfficialAccount

PAUSE_SECONDS = 1.0
"""Changes come in bursts; the file is written once for each."""

_log = structlog.get_logger(__name__)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeptPerson(_Kept):
    new: NewPerson
    last_said_at: datetime | None
    blocked: bool
    follows: bool
    wrote: bool = False


class KeptAccount(_Kept):
    new: NewAccount
    webhook_url: str | None
    connection: dict[str, Any]
    """What else this kind of account knows of whom it is connected to."""
    people: list[KeptPerson]


class KeptWorld(_Kept):
    accounts: list[KeptAccount]


def restore(world: World, providers: Sequence[Provider], path: Path) -> bool:
    """Bring back what the file holds into an empty world; tells whether there was anything that could be read."""
    try:
        kept = KeptWorld.model_validate_json(path.read_bytes())
        for account in kept.accounts:
            _restore_account(world, providers, account)
    except FileNotFoundError:
        return False
    except (OSError, ValidationError, ChatwrightError, KeyError) as error:
        _log.warning("sandbox.not_restored", reason=type(error).__name__)
        return False
    return True


async def keep(world: World, path: Path) -> None:
    """Write the file after each change, until cancelled, and then once more."""
    try:
        with world.follow() as follower:
            async for _ in follower.changes():
                await asyncio.sleep(PAUSE_SECONDS)
                _write(world, path)
    finally:
        _write(world, path)


def _write(world: World, path: Path) -> None:
    kept = KeptWorld(accounts=[_kept_account(account) for account in world.accounts()])
    fresh = path.with_suffix(".new")
    fresh.write_text(kept.model_dump_json(indent=1))
    fresh.replace(path)


def _kept_account(account: Account) -> KeptAccount:
    new = NewAccount(
        kind=account.kind,
        id=account.id,
        name=account.name,
        secrets=account.secrets,
        details=account.details,
        faults=account.faults,
    )
    return KeptAccount(
        new=new,
        webhook_url=account.webhook_url,
        connection=_connection(account),
        people=[_kept_person(person) for person in account.people.values()],
    )


def _kept_person(person: Person) -> KeptPerson:
    new = NewPerson(
        id=person.id,
        name=person.name,
        username=person.username,
        phone=person.phone,
        locale=person.locale,
        details=person.details,
    )
    return KeptPerson(
        new=new,
        last_said_at=person.last_said_at,
        blocked=person.blocked,
        follows=person.follows,
        wrote=isinstance(person, GraphPerson) and person.wrote,
    )


def _connection(account: Account) -> dict[str, Any]:
    match account:
        case Bot(webhook=Webhook() as webhook):
            allowed = sorted(account.allowed_updates) if account.allowed_updates is not None else None
            return {
                "secret_token": webhook.secret_token,
                "max_connections": webhook.max_connections,
                "allowed_updates": allowed,
            }
        case OfficialAccount():
            lives = (account.access_tokens, account.refresh_tokens)
            return {
                name: {token: until.isoformat() for token, until in tokens.items()}
                for name, tokens in zip(("access_tokens", "refresh_tokens"), lives, strict=True)
            }
        case GraphAccount():
            templates = [dataclasses.asdict(template) for template in account.templates.values()]
            return {"subscribed": sorted(account.subscribed), "templates": templates}
        case _:
            return {}


def _restore_account(world: World, providers: Sequence[Provider], kept: KeptAccount) -> None:
    provider = next((one for one in providers if kept.new.kind in one.kinds), None)
    if provider is None:
        return
    account = provider.create_account(kept.new)
    account.faults = kept.new.faults
    account.webhook_url = kept.webhook_url
    _reconnect(account, kept.connection)
    world.add_account(account)
    for described in kept.people:
        person = provider.create_person(account, described.new)
        person.last_said_at = described.last_said_at
        person.blocked, person.follows = described.blocked, described.follows
        if isinstance(person, GraphPerson):
            person.wrote = described.wrote
        world.add_person(account, person)


def _reconnect(account: Account, connection: dict[str, Any]) -> None:
    match account:
        case Bot() if account.webhook_url is not None and connection:
            account.webhook = Webhook(
                account.webhook_url, connection["secret_token"], connection["max_connections"]
            )
            allowed = connection["allowed_updates"]
            account.allowed_updates = frozenset(allowed) if allowed is not None else None
        case OfficialAccount():
            account.access_tokens = _moments(connection["access_tokens"])
            account.refresh_tokens = _moments(connection["refresh_tokens"])
        case GraphAccount():
            account.subscribed = set(connection["subscribed"])
            account.templates.update({one["id"]: Template(**one) for one in connection["templates"]})
        case _:
            pass


def _moments(texts: dict[str, str]) -> dict[str, datetime]:
    return {token: datetime.fromisoformat(text).astimezone(UTC) for token, text in texts.items()}
