"""Settings of a process, from the command line and the environment. Each is in docs/reference/settings.md."""

import os
from dataclasses import dataclass
from pathlib import Path

from chatwright.app.certificates import Certificate
from chatwright.infra.cipher import load_or_create_key, read_key
from chatwright.kernel.errors import Misconfigured

KEY_VARIABLE = "CHATWRIGHT_KEY"
EXTENSIONS_VARIABLE = "CHATWRIGHT_EXTENSIONS"
ALL, NONE = "all", "none"


@dataclass(frozen=True)
class Settings:
    """What one process needs to know of its surroundings."""

    data: Path
    """The data folder: embedded database, key, attachments, logs."""
    database_url: str | None
    """`DATABASE_URL`: a PostgreSQL 15 or newer; None for the embedded one in the data folder."""
    key: bytes
    """`CHATWRIGHT_KEY`: the master key, 32 random bytes in base64; made in the data folder on the embedded default."""
    public_url: str
    """`CHATWRIGHT_PUBLIC_URL`: where people and clients reach this server, without a slash at the end."""
    pool_size: int = 16
    """`CHATWRIGHT_POOL_SIZE`: most connections to the database from this process."""
    concurrency: int = 8
    """`CHATWRIGHT_CONCURRENCY`: how many rows of one ledger this process works at once."""
    lease_seconds: int = 30
    """`CHATWRIGHT_LEASE_SECONDS`: the longest a claimed row is its worker's; those of a killed one come back then."""
    allowed_hosts: tuple[str, ...] = ()
    """`CHATWRIGHT_ALLOWED_HOSTS`: hosts, or host:port, that calls may go to though they are not public, by commas."""
    metrics_token: str | None = None
    """`CHATWRIGHT_METRICS_TOKEN`: who presents it may read /metrics; without it only this machine may."""
    worker_probes: str | None = None
    """`CHATWRIGHT_WORKER_PROBES`: host:port at which `chatwright work` answers /healthz, /readyz and /metrics."""
    drain_seconds: int = 0
    """`CHATWRIGHT_DRAIN_SECONDS`: how long a server that is stopped answers on, unready, until nobody sends it more."""
    trusted_proxies: tuple[str, ...] = ()
    """`CHATWRIGHT_TRUSTED_PROXIES`: addresses and networks, by commas, whose X-Forwarded-* and Forwarded headers count.
    """
    tls_cert: Path | None = None
    """`CHATWRIGHT_TLS_CERT`: a certificate chain in PEM, to speak HTTPS without a proxy; renewed files are taken in."""
    tls_key: Path | None = None
    """`CHATWRIGHT_TLS_KEY`: its private key in PEM, not encrypted."""
    extensions: tuple[str, ...] = (ALL,)
    """`CHATWRIGHT_EXTENSIONS`: which installed extensions are in: `all`, `none`, or their names by commas."""
    mcp_sessions: bool = False
    """`CHATWRIGHT_MCP_SESSIONS`: `on` lets MCP clients from before 2026-07-28 watch resources; one process only."""
    oauth_clients: tuple[str, ...] = ("any",)
    """`CHATWRIGHT_OAUTH_CLIENTS`: whose OAuth clients are known by a metadata document: `any`, `none`, or domains."""
    oauth_registration: bool = True
    """`CHATWRIGHT_OAUTH_REGISTRATION`: whether OAuth clients may register themselves; `off` refuses them."""
    oauth_access_minutes: int = 60
    """`CHATWRIGHT_OAUTH_ACCESS_MINUTES`: how long an OAuth access token lasts; clients renew theirs by themselves."""
    oauth_refresh_days: int = 30
    """`CHATWRIGHT_OAUTH_REFRESH_DAYS`: after how long without use a person has to connect an OAuth client anew."""
    oauth_issuer: str | None = None
    """`CHATWRIGHT_OAUTH_ISSUER`: an authorization server of yours, which then takes the place of the one built in."""
    oauth_audience: str | None = None
    """`CHATWRIGHT_OAUTH_AUDIENCE`: what its tokens for this server name as audience; without it the public URL with
    `/mcp`."""
    oauth_jwks_url: str | None = None
    """`CHATWRIGHT_OAUTH_JWKS_URL`: where its public keys are; its access tokens must then be signed JWTs."""
    oauth_introspection_url: str | None = None
    """`CHATWRIGHT_OAUTH_INTROSPECTION_URL`: where it is asked about each token, instead of checking signatures."""
    oauth_introspection_client: str | None = None
    """`CHATWRIGHT_OAUTH_INTROSPECTION_CLIENT`: as whom it is asked, `id:secret`."""
    oauth_email_claim: str = "email"
    """`CHATWRIGHT_OAUTH_EMAIL_CLAIM`: which claim names the person, by the e-mail address they joined with."""
    oauth_workspace_claim: str | None = None
    """`CHATWRIGHT_OAUTH_WORKSPACE_CLAIM`: which claim names the workspace by its id, for people who are in several."""

    @property
    def certificate(self) -> Certificate | None:
        """What to speak HTTPS with; None to speak HTTP."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return Certificate(self.tls_cert, self.tls_key)


def load_settings(*, data: Path, url: str) -> Settings:
    """Read the settings; `url` is what to use when CHATWRIGHT_PUBLIC_URL is not set.

    Raises Misconfigured for a key that is weak, malformed or, outside the embedded default, missing.
    """
    database_url = os.environ.get("DATABASE_URL") or None
    data.mkdir(parents=True, exist_ok=True)
    tls_cert, tls_key = _file("CHATWRIGHT_TLS_CERT"), _file("CHATWRIGHT_TLS_KEY")
    if (tls_cert is None) != (tls_key is None):
        raise Misconfigured("CHATWRIGHT_TLS_CERT and CHATWRIGHT_TLS_KEY go together.")
    if tls_cert is not None:
        url = url.replace("http://", "https://", 1)
    return Settings(
        data=data.resolve(),
        database_url=database_url,
        key=_load_key(data, embedded=database_url is None),
        public_url=(os.environ.get("CHATWRIGHT_PUBLIC_URL") or url).rstrip("/"),
        pool_size=_number("CHATWRIGHT_POOL_SIZE", 16),
        concurrency=_number("CHATWRIGHT_CONCURRENCY", 8),
        lease_seconds=_number("CHATWRIGHT_LEASE_SECONDS", 30),
        allowed_hosts=_list("CHATWRIGHT_ALLOWED_HOSTS"),
        metrics_token=os.environ.get("CHATWRIGHT_METRICS_TOKEN") or None,
        worker_probes=os.environ.get("CHATWRIGHT_WORKER_PROBES") or None,
        drain_seconds=_number("CHATWRIGHT_DRAIN_SECONDS", 0),
        trusted_proxies=_list("CHATWRIGHT_TRUSTED_PROXIES"),
        tls_cert=tls_cert,
        tls_key=tls_key,
        extensions=wanted_extensions(),
        mcp_sessions=_switch("CHATWRIGHT_MCP_SESSIONS", default=False),
        oauth_clients=_list("CHATWRIGHT_OAUTH_CLIENTS") or ("any",),
        oauth_registration=_switch("CHATWRIGHT_OAUTH_REGISTRATION", default=True),
        oauth_access_minutes=_number("CHATWRIGHT_OAUTH_ACCESS_MINUTES", 60),
        oauth_refresh_days=_number("CHATWRIGHT_OAUTH_REFRESH_DAYS", 30),
        oauth_issuer=os.environ.get("CHATWRIGHT_OAUTH_ISSUER") or None,
        oauth_audience=os.environ.get("CHATWRIGHT_OAUTH_AUDIENCE") or None,
        oauth_jwks_url=os.environ.get("CHATWRIGHT_OAUTH_JWKS_URL") or None,
        oauth_introspection_url=os.environ.get("CHATWRIGHT_OAUTH_INTROSPECTION_URL") or None,
        oauth_introspection_client=os.environ.get("CHATWRIGHT_OAUTH_INTROSPECTION_CLIENT") or None,
        oauth_email_claim=os.environ.get("CHATWRIGHT_OAUTH_EMAIL_CLAIM") or "email",
        oauth_workspace_claim=os.environ.get("CHATWRIGHT_OAUTH_WORKSPACE_CLAIM") or None,
    )


def wanted_extensions() -> tuple[str, ...]:
    """Which extensions this environment wants: `all`, `none`, or names."""
    return _list(EXTENSIONS_VARIABLE) or (ALL,)


def _load_key(data: Path, *, embedded: bool) -> bytes:
    if text := os.environ.get(KEY_VARIABLE):
        return read_key(text, source=KEY_VARIABLE)
    if embedded:
        return load_or_create_key(data / "secret.key")
    raise Misconfigured(
        f"With DATABASE_URL set, {KEY_VARIABLE} must be set too: secrets in a shared database need a shared key.",
        hint="Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'",
    )


def _list(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


def _file(name: str) -> Path | None:
    text = os.environ.get(name)
    return Path(text) if text else None


def _switch(name: str, *, default: bool) -> bool:
    text = os.environ.get(name, "").lower()
    if text not in {"", "on", "off"}:
        raise Misconfigured(f"{name} must be on or off.")
    return default if not text else text == "on"


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise Misconfigured(f"{name} must be a whole number above 0.")
    return int(text)
