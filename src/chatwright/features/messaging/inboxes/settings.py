"""An inbox's settings on their way in: judged by the channel, and for one account only."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from chatwright.features.messaging.errors import AccountConnected, UnknownChannel
from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.secrets import opened_secrets
from chatwright.features.messaging.inboxes.store import InboxRow
from chatwright.kernel.errors import FieldProblem, InvalidInput, field_problems, told
from chatwright.kernel.names import shown_name
from chatwright.ports.channel import AnyChannel, InboxView, channel_named, channel_names
from chatwright.ports.secret_settings import destination_names, public_part


def known_channel(name: str) -> AnyChannel:
    """The channel of this name; raises UnknownChannel with those there are."""
    channel = channel_named(name)
    if channel is None:
        message = f"There is no channel called '{shown_name(name)}'. There are: {', '.join(channel_names())}."
        raise UnknownChannel(message, fields=[FieldProblem(path="channel", message=message)])
    return channel


def checked_settings(channel: AnyChannel, settings: Mapping[str, Any]) -> BaseModel:
    """Settings as the channel takes them; raises InvalidInput naming every field at fault, never its value."""
    try:
        return channel.Settings.model_validate(settings)
    except ValidationError as error:
        problems = field_problems(error, under="settings")
    raise InvalidInput(
        f"The settings do not fit the channel '{channel.name}': {told(problems)}", fields=problems
    )


def changed_settings(channel: AnyChannel, inbox: InboxRow, changes: Mapping[str, Any]) -> BaseModel:
    """The inbox's settings with some changed, secrets among them.

    Raises InvalidInput, also when its secrets would go to another server than they were given for.
    """
    secrets = opened_secrets(inbox.id, inbox.secrets)
    settings = checked_settings(channel, {**inbox.settings, **secrets, **changes})
    after = public_part(settings)
    moved = [
        name
        for name in sorted(destination_names(channel.Settings) & changes.keys())
        if after[name] != inbox.settings.get(name)
    ]
    if moved and (missing := sorted(secrets.keys() - changes.keys())):
        message = f"A change of {', '.join(moved)} sends secrets elsewhere: give them anew."
        raise InvalidInput(
            message, fields=[FieldProblem(path=f"settings.{name}", message=message) for name in missing]
        )
    return settings


async def claim_account(channel: AnyChannel, inbox: InboxView[Any]) -> str | None:
    """The provider account of an inbox, its own until the transaction ends.

    Only for one whose provider has let us in with these settings: else anybody could keep the account of others
    from them. Raises AccountConnected when another inbox has it: what comes in for it can go to one only.
    """
    account = channel.account(inbox.settings)
    if account is None:
        return None
    await store.LOCK_ACCOUNT.run(f"{channel.name}\n{account}")
    holder = await store.ACCOUNT_HOLDER.first(channel.name, account, inbox.id)
    if holder is None:
        return account
    where = f"to the inbox '{holder.name}'" if holder.workspace_id == inbox.workspace_id else "elsewhere"
    raise AccountConnected(f"The account {account} is connected {where} already.")
