"""Idempotency keys: one effect per key, and its result for whoever repeats the call."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from pydantic import BaseModel

from chatwright.features.workspaces import store
from chatwright.features.workspaces.arguments import check_storable
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, IdempotencyConflict, IdempotencyInProgress, InvalidInput
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import Database

MAX_KEY_LENGTH: Final = 255
FINGERPRINT: Final = "idempotency"
"""What the arguments of a call with a key are signed for."""
WAIT_SECONDS = 10.0
"""How long a call waits for a twin with the same key before it says IDEMPOTENCY_IN_PROGRESS."""
WAIT_STEP_SECONDS: Final = 0.05


def principal_of(caller: Caller) -> str:
    """The name under which a principal's keys and limits are kept."""
    return f"{caller.workspace_id}:{caller.kind}:{caller.principal_id}"


def canonical(request: BaseModel) -> bytes:
    """Arguments as bytes that are the same for the same arguments."""
    return orjson.dumps(request.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key in the hands of one principal, for one operation."""

    principal: str
    operation: str
    text: str

    @property
    def name(self) -> str:
        """What it is known by in the whole product."""
        return f"{self.principal}\n{self.operation}\n{self.text}"

    def held_by(self, caller: Caller) -> Caller:
        """The caller of the call that has this key."""
        return replace(caller, call_key=hashlib.sha256(self.name.encode()).hexdigest()[:32])

    async def alone(self) -> bool:
        """Whether this transaction now is the only one with the key: a lock that ends with it, even by kill -9."""
        lock = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "big", signed=True)
        return await store.TRY_LOCK.one(lock)

    def fingerprint(self, cipher: Cipher, request: BaseModel) -> bytes:
        """What the arguments are recognised by.

        Keyed and of this call alone, because there may be a secret in it that is short enough to be guessed.
        """
        return cipher.sign(self.name.encode() + b"\n" + canonical(request), FINGERPRINT)

    async def stored(self, cipher: Cipher, fingerprint: bytes) -> dict[str, Any] | None:
        """The result kept under the key; raises IdempotencyConflict when it is that of other arguments."""
        stored = await store.STORED_RESULT.first(self.principal, self.operation, self.text)
        if stored is None:
            return None
        if stored.arguments_hash != fingerprint:
            raise IdempotencyConflict("This idempotency key was used with other arguments.")
        return orjson.loads(cipher.open(stored.result, self.name))

    async def keep(self, cipher: Cipher, fingerprint: bytes, result: bytes) -> None:
        """Keep a result, as JSON, in the transaction of the effect."""
        sealed = cipher.seal(result, self.name)
        await store.KEEP_RESULT.run(self.principal, self.operation, self.text, fingerprint, sealed)


def key_of(caller: Caller, operation: AnyOperation, text: str) -> Key:
    """A caller's key; raises InvalidInput for one that cannot be kept."""
    if not 0 < len(text) <= MAX_KEY_LENGTH:
        message = f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters."
        raise InvalidInput(message, fields=[FieldProblem(path="idempotency_key", message=message)])
    check_storable(text, ("idempotency_key",))
    return Key(principal_of(caller), operation.name, text)


@asynccontextmanager
async def alone_with(database: Database, key: Key) -> AsyncGenerator[None]:
    """A transaction that no twin of this call shares.

    Waiting is done without a transaction, so that a crowd of twins holds no connections.
    """
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        async with database.transaction():
            if await key.alone():
                yield
                return
        if time.monotonic() > give_up:
            raise still_running()
        await asyncio.sleep(WAIT_STEP_SECONDS)


def still_running() -> IdempotencyInProgress:
    """What to raise while a twin is at it."""
    return IdempotencyInProgress("A call with this idempotency key is still running.", retry_after_ms=1000)
