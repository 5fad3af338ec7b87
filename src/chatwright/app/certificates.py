"""The certificate of a server that speaks TLS by itself, and its renewal while the server runs."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from chatwright.kernel.errors import Misconfigured

LOOK_SECONDS: Final = 5.0
"""How soon a renewed certificate is seen."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Certificate:
    """Two files in PEM: the certificate with those that vouch for it, and its private key."""

    chain: Path
    key: Path

    def check(self) -> None:
        """Raise Misconfigured unless the files are there and belong together."""
        try:
            self._load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        except (OSError, ssl.SSLError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            message = f"The TLS certificate {self.chain} with the key {self.key} cannot be used: {reason}."
            raise Misconfigured(message, hint="Both are PEM files, and the key is not encrypted.") from error

    @asynccontextmanager
    async def renewed_in(self, context: ssl.SSLContext) -> AsyncGenerator[None]:
        """Meanwhile take over files that have changed; connections that are open keep the certificate they have."""
        task = asyncio.create_task(self._renew(context), name="certificate")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _renew(self, context: ssl.SSLContext) -> None:
        known = self._state()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            found = self._state()
            if found == known:
                continue
            known = found
            try:
                # Whatever renews them writes one file after the other: half of a pair must not come into use.
                self.check()
                self._load_into(context)
            except (Misconfigured, OSError, ssl.SSLError):
                _log.warning("tls.not_renewed", certificate=str(self.chain))
            else:
                _log.info("tls.renewed", certificate=str(self.chain))

    def _load_into(self, context: ssl.SSLContext) -> None:
        # Without a password for encrypted keys OpenSSL would ask at the terminal.
        context.load_cert_chain(self.chain, self.key, password="")

    def _state(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(file) for file in (self.chain, self.key))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
