"""A server that ends around a commit, as if it were killed: nothing of it runs any more, not even what tidies up."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from chatwright.ports.database import Database, Unit


class Killed(BaseException):
    """No handler of errors sees this, as none would see SIGKILL."""


@dataclass
class CrashingDatabase:
    """The same database, for a process that dies at the end of its first transaction."""

    real: Database
    committed: bool
    """Whether it dies after the commit, or before it."""

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Unit]:
        async with self.real.transaction() as unit:
            yield unit
            if not self.committed:
                raise Killed
        raise Killed

    def autocommit(self) -> AbstractAsyncContextManager[Unit]:
        return self.real.autocommit()
