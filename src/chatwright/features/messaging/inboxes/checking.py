"""A live look at an inbox's provider: what was found, in words, and what it means."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from chatwright.features.messaging.errors import InboxNotReady, ProviderNotReached
from chatwright.features.messaging.inboxes.models import CheckFinding, Health
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem
from chatwright.ports.channel import AnyChannel, Connecting, Finding, InboxView
from chatwright.ports.secret_settings import without_secrets
from chatwright.ports.sending import Reaction

PATIENCE_SECONDS = 30.0
"""How long a provider may take for all of a check."""

NOT_ASKED: Final = Finding("provider", ok=True, words="This is a dry run, so the provider was not asked.")

_SEVERITY: Final[dict[Reaction | None, Health]] = {
    Reaction.RECONNECT: "reconnect",
    Reaction.PAUSE_CHANNEL: "paused",
}

_log = structlog.get_logger(__name__)


async def look(caller: Caller, channel: AnyChannel, view: InboxView[Any]) -> list[Finding]:
    """Check an inbox live; what goes wrong on the way is a finding too. A rehearsal asks nobody."""
    if caller.rehearsing:
        return [NOT_ASKED]
    return await _patiently(channel.check(view), view)


async def set_up(caller: Caller, channel: AnyChannel, view: InboxView[Any]) -> list[Finding]:
    """Have the channel point its provider at us, where it can; a rehearsal does not."""
    connecting: object = channel
    if caller.rehearsing or not isinstance(connecting, Connecting):
        return []
    return await _patiently(connecting.connect(view), view)


async def take_down(caller: Caller, channel: AnyChannel, view: InboxView[Any]) -> None:
    """Have the channel take its webhook down, as far as that goes; a rehearsal does not."""
    connecting: object = channel
    if caller.rehearsing or not isinstance(connecting, Connecting):
        return
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await connecting.disconnect(view)
    except Exception as error:  # noqa: BLE001 - an inbox must go even if its provider is in trouble.
        _log.warning("inbox.not_taken_down", inbox_id=str(view.id), error=type(error).__name__)


def together(findings: Sequence[Finding], later: Sequence[Finding]) -> list[Finding]:
    """Findings in order, where those made later replace earlier ones of the same name."""
    newer = {finding.name: finding for finding in later}
    return [*(newer.pop(finding.name, finding) for finding in findings), *newer.values()]


def refuse_fundamental(findings: Sequence[Finding]) -> None:
    """Raise what keeps an inbox from being connected at all.

    InboxNotReady with every fault and its words when the provider does not let us in; ProviderNotReached when it
    did not answer, so that nobody knows. Other faults are shown and can be mended later.
    """
    faults = [finding for finding in findings if not finding.ok]
    problems = [FieldProblem(path=finding.name, message=finding.words) for finding in faults]
    words = " ".join(finding.words for finding in faults)
    if any(finding.reaction is Reaction.RECONNECT for finding in faults):
        raise InboxNotReady(words, fields=problems)
    if faults and faults[0] is findings[0] and faults[0].reaction is Reaction.RETRY:
        raise ProviderNotReached(words, fields=problems)


def health_of(findings: Sequence[Finding]) -> tuple[Health, str | None]:
    """What findings mean for an inbox, and the words of the gravest one."""
    faults = [finding for finding in findings if not finding.ok]
    for reaction, health in _SEVERITY.items():
        for finding in faults:
            if finding.reaction is reaction:
                return health, finding.words
    if faults:
        return "limited", faults[0].words
    return "ok", None


def unsure(findings: Sequence[Finding]) -> bool:
    """Whether the provider did not answer, so that a check says nothing about the inbox."""
    return any(not finding.ok and finding.reaction is Reaction.RETRY for finding in findings)


def proven(findings: Sequence[Finding]) -> bool:
    """Whether the provider has let us in, so that the account is shown to be this inbox's."""
    refused = any(not finding.ok and finding.reaction is Reaction.RECONNECT for finding in findings)
    return bool(findings) and findings[0].ok and not refused and not unsure(findings)


def shown_findings(findings: Sequence[Finding]) -> list[CheckFinding]:
    """Findings as operations show them."""
    return [CheckFinding(name=one.name, ok=one.ok, words=one.words) for one in findings]


async def _patiently(looking: Any, view: InboxView[Any]) -> list[Finding]:  # noqa: ANN401 - a channel's coroutine.
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            findings = list(await looking)
    except TimeoutError:
        words = "The provider did not answer in time. Try again in a while."
        return [Finding("provider", ok=False, words=words, reaction=Reaction.RETRY)]
    return [replace(one, words=without_secrets(one.words, view.settings)) for one in findings]
