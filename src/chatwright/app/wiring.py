"""Puts the product together: the one place that knows every part."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chatwright.app.extensions.loading import load
from chatwright.app.extensions.offering import Offering, offering_of
from chatwright.app.observing.calls import CallWatching
from chatwright.app.observing.duty import Duty
from chatwright.app.observing.numbers import Numbers
from chatwright.app.observing.tracing import tracer_at_hand
from chatwright.app.observing.work import watched
from chatwright.app.plugins import channels
from chatwright.app.settings import Settings
from chatwright.features.contacts.exports.jobs import export_ledger
from chatwright.features.contacts.imports.jobs import import_ledger
from chatwright.features.contacts.tags.directory import StoredTags
from chatwright.features.messaging.inboxes.directory import StoredInboxes
from chatwright.features.messaging.jobs import (
    courtesy_ledger,
    delivery_ledger,
    download_ledger,
    inbound_ledger,
    lead_ledger,
    lookup_ledger,
)
from chatwright.features.messaging.reach import ReachOfTags
from chatwright.features.workspaces.authentication import Authenticator, Sessions
from chatwright.features.workspaces.issuers import AskedTokens, Claims, SignedTokens
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.features.workspaces.oauth.policy import OAuthPolicy, read_clients
from chatwright.features.workspaces.oauth.server import AuthorizationServer
from chatwright.features.workspaces.pipeline import Pipeline
from chatwright.features.workspaces.rules import DefaultPolicy
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.infra.database import PoolDatabase, open_pool
from chatwright.infra.eventlog import ADOPT, PostgresEventLog
from chatwright.infra.postgres import start_embedded
from chatwright.infra.schema import migrate
from chatwright.infra.signals import PostgresSignals
from chatwright.infra.storage import FolderStorage
from chatwright.kernel.errors import Misconfigured
from chatwright.net.http import Web
from chatwright.ports.channel import register_channel
from chatwright.ports.inboxes import register_inbox_directory
from chatwright.ports.ledger import Ledger
from chatwright.ports.reach import register_reach
from chatwright.ports.site import Site, register_site
from chatwright.ports.tags import register_tag_directory

if TYPE_CHECKING:
    from chatwright.ports.storage import Storage


@dataclass(frozen=True)
class Product:
    """The parts that surfaces and workers are made of."""

    settings: Settings
    offering: Offering
    database: PoolDatabase
    signals: PostgresSignals
    events: PostgresEventLog
    storage: "Storage"
    cipher: MasterKeyCipher
    limiter: RateLimiter
    pipeline: Pipeline
    authenticator: Authenticator
    sessions: Sessions
    oauth: AuthorizationServer
    ledgers: tuple[Ledger, ...]
    """The work that workers do; a room with work of its own adds it to `_ledgers`."""
    numbers: Numbers
    duty: Duty


@asynccontextmanager
async def open_product(settings: Settings) -> AsyncGenerator[Product]:
    """Start the database if it is ours, migrate it, and connect every part; closes them in reverse."""
    offering = offering_of(load(settings.extensions))
    offering.register()
    dsn = settings.database_url or (await asyncio.to_thread(start_embedded, settings.data)).dsn
    await migrate(dsn)
    signals = PostgresSignals(dsn)
    pool = await open_pool(dsn, size=settings.pool_size)
    async with pool, _running(signals), _way_out(settings) as web, offering.running():
        database = PoolDatabase(pool, signals)
        async with database.transaction():
            await ADOPT.run()
        cipher = MasterKeyCipher(settings.key)
        for channel in channels(cipher, settings.public_url, web):
            register_channel(channel)
        register_site(Site(settings.public_url, cipher))
        register_inbox_directory(StoredInboxes())
        register_tag_directory(StoredTags())
        register_reach(ReachOfTags())
        limiter = RateLimiter(database)
        storage = FolderStorage(settings.data / "files")
        ledgers = _ledgers(settings, database, storage)
        numbers = Numbers(database, signals, [ledger.table for ledger in ledgers])
        tracer = tracer_at_hand()
        watching = CallWatching(numbers, tracer)
        try:
            yield Product(
                settings=settings,
                offering=offering,
                database=database,
                signals=signals,
                events=PostgresEventLog(database),
                storage=storage,
                cipher=cipher,
                limiter=limiter,
                pipeline=Pipeline(database, limiter, DefaultPolicy(), cipher, watching),
                authenticator=Authenticator(database, _outside_issuer(settings, web, limiter)),
                sessions=Sessions(database),
                oauth=AuthorizationServer(database, cipher, web, limiter, _oauth_policy(settings)),
                ledgers=tuple(watched(ledger, numbers, tracer) for ledger in ledgers),
                numbers=numbers,
                duty=Duty(signals),
            )
        finally:
            await limiter.close()


def _ledgers(settings: Settings, database: PoolDatabase, storage: "Storage") -> tuple[Ledger, ...]:
    ledgers = (
        inbound_ledger(),
        delivery_ledger(database, storage),
        lookup_ledger(database),
        download_ledger(database, storage),
        lead_ledger(database),
        courtesy_ledger(database),
        import_ledger(storage),
        export_ledger(storage),
    )
    longest = float(settings.lease_seconds)
    return tuple(replace(ledger, lease_seconds=min(ledger.lease_seconds, longest)) for ledger in ledgers)


def _outside_issuer(settings: Settings, web: Web, limiter: RateLimiter) -> SignedTokens | AskedTokens | None:
    """Who gives out access tokens in place of this server, if anybody does. Raises Misconfigured."""
    if settings.oauth_issuer is None:
        return None
    claims = Claims(
        settings.oauth_issuer,
        settings.oauth_audience or f"{settings.public_url}/mcp",
        settings.oauth_email_claim,
        settings.oauth_workspace_claim,
    )
    match settings.oauth_jwks_url, settings.oauth_introspection_url, settings.oauth_introspection_client:
        case str() as keys, None, None:
            return SignedTokens(web, claims, keys)
        case None, str() as asked, str() as credentials:
            return AskedTokens(web, claims, asked, credentials, limiter)
        case _:
            message = (
                "CHATWRIGHT_OAUTH_ISSUER needs either a JWKS URL, or an introspection URL with its client."
            )
            raise Misconfigured(message, hint="Set one of the two, as docs/reference/settings.md says.")


def _oauth_policy(settings: Settings) -> OAuthPolicy:
    documents, domains = read_clients(settings.oauth_clients)
    return OAuthPolicy(
        issuer=settings.public_url,
        documents=documents,
        domains=domains,
        registration=settings.oauth_registration,
        access_seconds=settings.oauth_access_minutes * 60,
        refresh_seconds=settings.oauth_refresh_days * 86_400,
    )


@asynccontextmanager
async def _way_out(settings: Settings) -> AsyncGenerator[Web]:
    web = Web(settings.allowed_hosts)
    try:
        yield web
    finally:
        await web.close()


@asynccontextmanager
async def _running(signals: PostgresSignals) -> AsyncGenerator[None]:
    task = asyncio.create_task(signals.run(), name="signals")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
