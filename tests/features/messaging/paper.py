"""A channel made of paper: its wire format is a dict, its provider a list. It shows what a room relies on."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.rules import plain_text
from chatwright.ports.channel import Capabilities, Finding, HookRequest, InboxView, Verified, register_channel
from chatwright.ports.content import TextContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundMessage,
    InboundStatus,
    InboundUnknown,
    InboundWatermark,
    Person,
    Pricing,
    RawEvent,
)
from chatwright.ports.sending import Outgoing, SendOutcome
from tests.conftest import Desk


class PaperSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str = "white"


class PaperChannel:
    """Posts what is sent onto a wall; outcomes can be chosen, by text of the message."""

    name: ClassVar[str] = "paper"
    Settings = PaperSettings
    capabilities: ClassVar[Capabilities] = Capabilities(contents=frozenset({"text"}), text_limit=1000)

    def __init__(self) -> None:
        self.wall: list[Outgoing] = []
        self.outcomes: dict[str, SendOutcome | Exception] = {}

    def verify(self, inbox: InboxView[PaperSettings], request: HookRequest) -> Verified:
        return Verified()

    def split(
        self, inbox: InboxView[PaperSettings], request: HookRequest, verified: Verified
    ) -> Sequence[RawEvent]:
        return []

    def parse(self, inbox: InboxView[PaperSettings], payload: Mapping[str, Any]) -> Sequence[Inbound]:
        person = Person({"paper": str(payload.get("from", "nobody"))}, name=payload.get("name"))
        match payload.get("kind"):
            case "message":
                return [InboundMessage(payload["id"], person, TextContent(text=payload["text"]))]
            case "status":
                pricing = Pricing(**payload["pricing"]) if "pricing" in payload else None
                return [InboundStatus(payload["id"], DeliveryStatus(payload["status"]), pricing=pricing)]
            case "read":
                return [InboundWatermark(person, DeliveryStatus.READ, payload["up_to"])]
            case kind:
                return [InboundUnknown(str(kind))]

    async def send(self, inbox: InboxView[PaperSettings], outgoing: Outgoing) -> SendOutcome:
        self.wall.append(outgoing)
        text = plain_text(outgoing.content)
        outcome = self.outcomes.get(text, SendOutcome(external_id=f"paper-{len(self.wall)}"))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def account(self, settings: PaperSettings) -> str | None:
        return None

    async def check(self, inbox: InboxView[PaperSettings]) -> Sequence[Finding]:
        return [Finding("paper", ok=True, words="There is paper.")]


async def paper_inbox(desk: Desk) -> UUID:
    """A new inbox of paper in the desk's workspace."""
    register_channel(PaperChannel())
    return UUID((await desk.call(create_inbox, channel="paper", name="Letters"))["id"])


def letter(text: str, *, sender: str = "ann", id_: str | None = None, name: str | None = None) -> RawEvent:
    """Somebody writes."""
    id_ = id_ or f"{sender}:{text}"
    payload = {"kind": "message", "id": id_, "from": sender, "name": name, "text": text}
    return RawEvent(dedupe_key=id_, lane=sender, payload=payload)
