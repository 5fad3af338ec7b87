"""Bringing the database's schema up to date, once, whoever starts first."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from chatwright.infra.database import connect

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import MetaData

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6368_6174_7772_6967
"""Key of the advisory lock that lets one process migrate while the others wait."""
_REVISION = re.compile(r"^(down_)?revision(?:: [^=]+)? = (?:\"(\w+)\"|None)", re.MULTILINE)


def head_revision() -> str:
    """The newest migration's id, read off the files so that an up-to-date start imports no Alembic."""
    revisions: set[str] = set()
    replaced: set[str] = set()
    for file in (MIGRATIONS / "versions").glob("*.py"):
        for down, revision in _REVISION.findall(file.read_text()):
            (replaced if down else revisions).add(revision)
    (head,) = revisions - replaced
    return head


async def migrate(dsn: str) -> bool:
    """Upgrade to the newest schema under an advisory lock; returns whether there was anything to do.

    Raises Unavailable or Misconfigured when the database cannot be used.
    """
    connection = await connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        if await _current_revision(connection) == head_revision():
            return False
        await asyncio.to_thread(_upgrade, dsn)
    finally:
        await connection.close()
    return True


async def _current_revision(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    try:
        return await connection.fetchval("select version_num from alembic_version")
    except asyncpg.UndefinedTableError:
        return None


def alembic_config(dsn: str, metadata: "Sequence[MetaData]" = ()) -> "Config":
    """Alembic's configuration for this database; `metadata` is needed only to write or compare migrations."""
    from alembic.config import Config  # noqa: PLC0415 - half a second that most starts need not pay.

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option(
        "sqlalchemy.url", dsn.replace("postgresql://", "postgresql+asyncpg://").replace("%", "%%")
    )
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["metadata"] = list(metadata)
    return config


def _upgrade(dsn: str) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that most starts need not pay.

    command.upgrade(alembic_config(dsn), "head")
