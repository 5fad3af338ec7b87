"""The channel: an Official Account of Zalo, its events on one side and its API on the other."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import structlog
from pydantic import BaseModel

from chatwright.channels.zalo.addresses import Address, UserAddress, read_address
from chatwright.channels.zalo.api import Done, Refused, ZaloAPI
from chatwright.channels.zalo.checking import describe_account, describe_refusal, describe_webhook
from chatwright.channels.zalo.events import parse_event, split_call
from chatwright.channels.zalo.profiles import person_told
from chatwright.channels.zalo.refusals import outcome_of
from chatwright.channels.zalo.sending import Call, Unsendable, call_for, without_quote
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.channels.zalo.signatures import verify_signature
from chatwright.channels.zalo.templates import template_of
from chatwright.channels.zalo.tokens import exchange, renewal_of
from chatwright.channels.zalo.uploads import DOCUMENTS, PICTURES, upload
from chatwright.net.downloads import download
from chatwright.net.http import NoAnswer, NotSent, Web
from chatwright.net.reading import as_list, as_map, as_text, dig
from chatwright.ports.channel import (
    Capabilities,
    Download,
    Finding,
    HookRequest,
    InboxView,
    Pace,
    ProviderRefused,
    ReplyWindow,
    Verified,
)
from chatwright.ports.content import MediaContent
from chatwright.ports.inbound import Inbound, Person, RawEvent
from chatwright.ports.secret_settings import without_secrets
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

ZaloInbox = InboxView[ZaloSettings]

_MEGABYTE = 1024 * 1024
_INVALID = -201
_PAGE = 100
_MOST_PAGES = 20
"""Of templates; an account has a few dozen."""
_MADE_THERE = "Zalo's templates are made and deleted at business.zalo.me."

_log = structlog.get_logger(__name__)


class Zalo:
    """See `ports.channel.Channel`, `Renewing`, `Downloading`, `Introducing` and `Templating`."""

    name: ClassVar[str] = "zalo"
    Settings = ZaloSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset({"text", "media", "buttons", "template", "reaction"}),
        # Official Account documentation, Send consulting message: 2000 characters, five buttons.
        text_limit=2000,
        caption_limit=2000,
        # The documentation shows a text beside pictures alone.
        uncaptioned=frozenset({"file"}),
        buttons_limit=5,
        button_text_limit=2000,
        # A payload has 1000 characters; ours begin with a mark of two.
        payload_bytes=998,
        read_receipts=True,
        # The same, Upload: pictures of 1 MB and documents of 5 MB, of these types alone.
        files={"image": _MEGABYTE, "file": 5 * _MEGABYTE},
        media_types={"image": frozenset(PICTURES), "file": frozenset(DOCUMENTS)},
        # Free for 48 hours after an interaction; until the end of the seventh day each message is billed, so
        # that only a person should decide to write. After that -230.
        window=ReplyWindow(timedelta(hours=48), human_for=timedelta(days=7), templates=True),
        # 4,000 calls a minute for an app.
        pace=Pace(per_second=60),
    )

    def __init__(self, web: Web) -> None:
        self._web = web
        self._api = ZaloAPI(web)

    def verify(self, inbox: ZaloInbox, request: HookRequest) -> Verified:
        """Check the signature over the raw bytes, in both of its forms, and that nobody plays an old event back."""
        made_with = verify_signature(inbox.settings, request.headers, request.body, time.time())
        _log.debug("zalo.verified", inbox_id=str(inbox.id), made_with=made_with)
        return Verified(claims={"signature": made_with})

    def split(self, inbox: ZaloInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """One call is one event."""
        return split_call(request.body, inbox.settings.oa_id)

    def parse(self, inbox: ZaloInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read one event."""
        return parse_event(payload, inbox.settings.oa_id)

    async def send(self, inbox: ZaloInbox, outgoing: Outgoing) -> SendOutcome:
        """Upload the file, if there is one, and make the call that shows this content."""
        address = read_address(outgoing.to)
        if address is None:
            return SendOutcome(reaction=Reaction.UNREACHABLE, detail="This is no address of Zalo's.")
        prepared = await self._prepared(inbox, outgoing, address)
        if isinstance(prepared, SendOutcome):
            return prepared
        try:
            return await self._sent(inbox, prepared)
        except NotSent as error:
            return SendOutcome(reaction=Reaction.RETRY, code=error.code, detail=error.message)
        except NoAnswer as error:
            return SendOutcome(reaction=Reaction.UNKNOWN, code=error.code, detail=error.message)

    def account(self, settings: ZaloSettings) -> str | None:
        """The Official Account; events name it."""
        return settings.oa_id

    async def check(self, inbox: ZaloInbox) -> Sequence[Finding]:
        """Whether the token is good, and whose it is."""
        try:
            answer = await self._api.get(inbox.settings, "/v2.0/oa/getoa")
        except (NotSent, NoAnswer) as error:
            return [Finding("token", ok=False, words=error.message, reaction=Reaction.RETRY)]
        if isinstance(answer, Refused):
            return [describe_refusal(answer), describe_webhook(inbox.hook_url)]
        return [*describe_account(answer, inbox.settings), describe_webhook(inbox.hook_url)]

    def renew_at(self, inbox: ZaloInbox) -> datetime | None:
        """Some hours before the access token ends."""
        return renewal_of(inbox.settings)

    async def renew(self, inbox: ZaloInbox) -> BaseModel:
        """Exchange the tokens; the ones used are worthless afterwards."""
        return await exchange(self._web, inbox.settings)

    async def download(self, inbox: ZaloInbox, media: str) -> Download:  # noqa: ARG002 - the port's.
        """Fetch a file from the address that the event gave."""
        return await download(self._web, media)

    async def introduce(self, inbox: ZaloInbox, address: str) -> Person | None:
        """By the profile, which Zalo shows of whoever wrote to the account or follows it."""
        somebody = read_address(address)
        if not isinstance(somebody, UserAddress):
            return None
        try:
            asked = {"user_id": somebody.user_id}
            answer = await self._api.get(inbox.settings, "/v3.0/oa/user/detail", asked)
        except (NotSent, NoAnswer):
            return None
        return None if isinstance(answer, Refused) else person_told(somebody.user_id, answer.data)

    async def list_templates(self, inbox: ZaloInbox) -> Sequence[ProviderTemplate]:
        """All templates of the account; raises ProviderRefused."""
        found: list[ProviderTemplate] = []
        for page in range(_MOST_PAGES):
            asked = {"offset": str(page * _PAGE), "limit": str(_PAGE)}
            answer = await self._api.get_business(inbox.settings, "/template/all", asked)
            if isinstance(answer, Refused):
                words = without_secrets(answer.message, inbox.settings)
                raise ProviderRefused(f"Zalo refused: {words} ({answer.code}).")
            listed = as_list(answer.data)
            found += [template for one in listed if (template := template_of(as_map(one))) is not None]
            if len(listed) < _PAGE:
                break
        return found

    async def create_template(self, inbox: ZaloInbox, draft: TemplateDraft) -> ProviderTemplate:  # noqa: ARG002 - the port's.
        """Raises ProviderRefused: Zalo has its own editor for them."""
        raise ProviderRefused(_MADE_THERE)

    async def delete_template(self, inbox: ZaloInbox, name: str, language: str) -> None:  # noqa: ARG002 - the port's.
        """Raises ProviderRefused likewise."""
        raise ProviderRefused(_MADE_THERE)

    async def _prepared(self, inbox: ZaloInbox, outgoing: Outgoing, address: Address) -> Call | SendOutcome:
        """The call, with its file uploaded; else why there is none, and so no message either."""
        try:
            if not isinstance(outgoing.content, MediaContent) or outgoing.file is None:
                return call_for(outgoing, address)
            uploaded = await upload(self._api, inbox.settings, outgoing.content.kind, outgoing.file)
            if isinstance(uploaded, Refused):
                return outcome_of(uploaded, datetime.now(UTC))
            return call_for(outgoing, address, uploaded.attachment)
        except Unsendable as error:
            return SendOutcome(reaction=Reaction.BAD_PAYLOAD, detail=str(error))
        except (NotSent, NoAnswer) as error:
            return SendOutcome(reaction=Reaction.RETRY, code=error.code, detail=error.message)

    async def _sent(self, inbox: ZaloInbox, call: Call) -> SendOutcome:
        answer = await self._api.post(inbox.settings, call.path, call.body, business=call.business)
        if isinstance(answer, Refused) and answer.code == _INVALID and (plain := without_quote(call)):
            # It was certainly not sent, and what it answers is the likeliest thing to be wrong with it.
            answer = await self._api.post(inbox.settings, plain.path, plain.body, business=plain.business)
        if isinstance(answer, Refused):
            return outcome_of(answer, datetime.now(UTC))
        return SendOutcome(external_id=None if call.makes_none else _id_in(answer), load=answer.load)


def _id_in(answer: Done) -> str | None:
    return as_text(dig(answer.data, "message_id")) or as_text(dig(answer.data, "msg_id"))
