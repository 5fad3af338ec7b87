"""A provider channel whose wire format is our own dataclasses as JSON, signed: it can say every kind of news.

What a provider can do beside sending (confirm a webhook, renew credentials, give out files, approve templates, ...)
is a dict or a list here, which a test fills and looks at.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, cast

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from chatwright.kernel.errors import Forbidden, InvalidInput, Unauthenticated
from chatwright.ports.channel import (
    Capabilities,
    CredentialsLost,
    Download,
    DownloadFailed,
    Finding,
    HookRequest,
    InboxView,
    ProviderRefused,
    ReplyWindow,
    TemplateTaken,
    Verified,
)
from chatwright.ports.inbound import (
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundIdentity,
    InboundLead,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundTemplate,
    InboundUnknown,
    InboundUnsend,
    InboundWatermark,
    InboundWithdrawal,
    Person,
    RawEvent,
)
from chatwright.ports.secret_settings import DESTINATION
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

SIGNATURE: Final = "x-postal-signature"
WINDOW: Final = timedelta(hours=24)
KINDS: Final[dict[str, Any]] = {
    "account": InboundAccount,
    "consent": InboundConsent,
    "echo": InboundEcho,
    "edit": InboundEdit,
    "identity": InboundIdentity,
    "lead": InboundLead,
    "message": InboundMessage,
    "profile": InboundProfile,
    "reaction": InboundReaction,
    "referral": InboundReferral,
    "status": InboundStatus,
    "template": InboundTemplate,
    "unsend": InboundUnsend,
    "watermark": InboundWatermark,
    "withdrawal": InboundWithdrawal,
}
_ADAPTERS: Final = {kind: TypeAdapter[Inbound](found) for kind, found in KINDS.items()}


class PostalSettings(BaseModel):
    """Settings with secrets."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    box: str = "box-1"
    """The account."""
    key: SecretStr = SecretStr("the postal key")
    """Signs calls."""
    token: SecretStr | None = None
    """Lets us in."""
    spare_keys: list[SecretStr] = []
    """Older keys."""
    office: Annotated[str, DESTINATION] = "https://post.example"
    """Where its calls go."""


PostalInbox = InboxView[PostalSettings]


@dataclass
class Provider:
    """What stands on the other side."""

    findings: list[Finding] = field(default_factory=lambda: [Finding("token", ok=True, words="It works.")])
    hook: list[Finding] = field(default_factory=lambda: [Finding("webhook", ok=True, words="It is set.")])
    hooks: list[str] = field(default_factory=list[str])
    """Webhook addresses as they were set; `-` where one was taken down."""
    wall: list[Outgoing] = field(default_factory=list[Outgoing])
    files: dict[str, tuple[str, bytes] | Exception] = field(
        default_factory=dict[str, tuple[str, bytes] | Exception]
    )
    leads: dict[str, Mapping[str, str] | Exception] = field(
        default_factory=dict[str, Mapping[str, str] | Exception]
    )
    templates: dict[tuple[str, str], ProviderTemplate] = field(
        default_factory=dict[tuple[str, str], ProviderTemplate]
    )
    renewals: list[str] = field(default_factory=list[str])
    """Tokens that were exchanged."""
    next_tokens: list[str] = field(default_factory=list[str])
    """What they are exchanged for; empty when a person has to connect again."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Of people, by address."""
    shown: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    """Whom we showed what: typing or reading, and up to which message."""


class PostalChannel:
    """See `ports.channel.Channel` and everything optional beside it."""

    name: ClassVar[str] = "postal"
    Settings = PostalSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset({"text", "media", "template"}),
        text_limit=1000,
        typing=True,
        marks_read=True,
        read_receipts=True,
        files={"image": 1000, "file": 1000},
        media_types={"image": frozenset({"image/png"})},
        window=ReplyWindow(WINDOW, templates=True),
    )

    def __init__(self) -> None:
        self.provider = Provider()

    def verify(self, inbox: PostalInbox, request: HookRequest) -> Verified:
        keys = [inbox.settings.key, *inbox.settings.spare_keys]
        given = request.headers.get(SIGNATURE, "")
        if not any(hmac.compare_digest(given, signed(key.get_secret_value(), request.body)) for key in keys):
            raise Unauthenticated("The signature is wrong.")
        return Verified()

    def split(self, inbox: PostalInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:
        try:
            call: Any = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise InvalidInput("This is no JSON.") from None
        events = cast("dict[str, Any]", call).get("events") if isinstance(call, dict) else None
        if not isinstance(events, list):
            digest = hashlib.sha256(request.body).hexdigest()
            return [RawEvent(digest, "odd", {"kind": "call", "call": call})]
        return [_raw_event(event) for event in cast("list[Any]", events)]

    def parse(self, inbox: PostalInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        kind = str(payload.get("kind"))
        if kind not in _ADAPTERS:
            return [InboundUnknown(kind)]
        try:
            return [_ADAPTERS[kind].validate_python(payload["news"])]
        except (ValidationError, KeyError):
            return [InboundUnknown(f"odd {kind}")]

    async def send(self, inbox: PostalInbox, outgoing: Outgoing) -> SendOutcome:
        self.provider.wall.append(outgoing)
        return SendOutcome(external_id=f"postal-{outgoing.message_id}")

    def account(self, settings: PostalSettings) -> str | None:
        return settings.box

    async def check(self, inbox: PostalInbox) -> Sequence[Finding]:
        return self.provider.findings

    def handshake(self, inbox: PostalInbox, request: HookRequest) -> str:
        if not hmac.compare_digest(request.query.get("token", "").encode(), inbox.hook_token.encode()):
            raise Forbidden("This token is wrong.")
        return request.query.get("challenge", "")

    async def connect(self, inbox: PostalInbox) -> Sequence[Finding]:
        self.provider.hooks.append(inbox.hook_url)
        return self.provider.hook

    async def disconnect(self, inbox: PostalInbox) -> None:
        self.provider.hooks.append("-")

    def renew_at(self, inbox: PostalInbox) -> datetime | None:
        """Tokens whose name begins with `soon` are to be renewed at once."""
        token = inbox.settings.token
        due = token is not None and token.get_secret_value().startswith("soon")
        return datetime.now(UTC) if due else None

    async def renew(self, inbox: PostalInbox) -> PostalSettings:
        token = inbox.settings.token
        self.provider.renewals.append(token.get_secret_value() if token else "")
        if not self.provider.next_tokens:
            raise CredentialsLost("The post office does not know us any more.")
        new = SecretStr(self.provider.next_tokens.pop(0))
        return inbox.settings.model_copy(update={"token": new})

    async def download(self, inbox: PostalInbox, media: str) -> Download:
        match self.provider.files.get(media):
            case (media_type, content):
                return Download(media_type, _pieces(content), filename=None)
            case Exception() as error:
                raise error
            case _:
                raise DownloadFailed("There is no such file.")

    async def show_typing(self, inbox: PostalInbox, to: str, last_external_id: str | None) -> None:
        self.provider.shown.append(("typing", to, last_external_id))

    async def mark_read(self, inbox: PostalInbox, to: str, last_external_id: str) -> None:
        self.provider.shown.append(("read", to, last_external_id))

    async def introduce(self, inbox: PostalInbox, address: str) -> Person | None:
        name = self.provider.names.get(address)
        return Person({"postal": address}, name=name) if name else None

    async def fetch_lead(self, inbox: PostalInbox, lead: InboundLead) -> InboundLead:
        match self.provider.leads.get(lead.lead_id):
            case Exception() as error:
                raise error
            case None:
                raise ProviderRefused("There is no such lead.")
            case answers:
                return InboundLead(lead.lead_id, lead.form_id, lead.ad_id, answers, lead.at)

    async def list_templates(self, inbox: PostalInbox) -> Sequence[ProviderTemplate]:
        return list(self.provider.templates.values())

    async def create_template(self, inbox: PostalInbox, draft: TemplateDraft) -> ProviderTemplate:
        if there := self.provider.templates.get((draft.name, draft.language)):
            raise TemplateTaken(there)
        made = ProviderTemplate(
            draft.name, draft.language, draft.category, "pending", draft.components, f"t-{draft.name}"
        )
        self.provider.templates[made.name, made.language] = made
        return made

    async def delete_template(self, inbox: PostalInbox, name: str, language: str) -> None:
        self.provider.templates.pop((name, language), None)


def signed(key: str, body: bytes) -> str:
    """The signature of a call."""
    return hmac.digest(key.encode(), body, "sha256").hex()


def failing(name: str, words: str, reaction: Reaction | None) -> Finding:
    return Finding(name, ok=False, words=words, reaction=reaction)


def event(
    kind: str, id_: str | None = None, /, *, lane: str = "ann", box: str | None = None, **news: Any
) -> dict[str, Any]:
    """One event as it stands in a call."""
    body = {"kind": kind, "news": news}
    id_ = id_ or hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return {"id": id_, "lane": lane, "box": box, **body}


def person(name: str = "ann", **more: Any) -> dict[str, Any]:
    return {"identities": {"postal": name}, "name": name.title(), **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _raw_event(event: Any) -> RawEvent:
    known = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    if not isinstance(known.get("id"), str):
        digest = hashlib.sha256(orjson.dumps(event)).hexdigest()
        return RawEvent(digest, "odd", {"kind": "odd", "event": event})
    box = known.get("box")
    account = box if isinstance(box, str) else None
    return RawEvent(known["id"], str(known.get("lane")), known, account)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    size = max(100, len(content) // 50)
    for start in range(0, len(content), size):
        yield content[start : start + size]
