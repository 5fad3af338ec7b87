"""An inbox of the channel on real mail servers."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from chatwright.channels.email.channel import Email
from chatwright.channels.email.settings import EmailSettings
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import InboxView
from tests.mail.authority import HOST
from tests.mail.servers import PASSWORD, MailServers, mail_servers

SERVER_URL = "https://chat.example"
HOOK_TOKEN = "a word between us"


@pytest.fixture(scope="session")
def servers() -> Generator[MailServers]:
    with mail_servers() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel() -> AsyncGenerator[Email]:
    web = Web([HOST])
    yield Email(MasterKeyCipher(bytes(range(32))), SERVER_URL, web)
    await web.close()


@dataclass(frozen=True)
class Mailboxes:
    """Makes accounts that no other test has."""

    servers: MailServers

    def inbox(self, **changes: object) -> InboxView[EmailSettings]:
        """An inbox with a mailbox of its own."""
        return an_inbox(self.servers, **changes)

    def customer(self) -> tuple[str, str]:
        """The name of somebody else's mailbox, and its address."""
        name = f"customer-{new_id().hex[-12:]}"
        self.servers.account(name)
        return name, f"{name}@people.test"


def settings_for(servers: MailServers, address: str) -> dict[str, object]:
    """Settings of a mailbox on the servers, encrypted from the first byte on."""
    return {
        "address": address,
        "name": "The Shop",
        "password": PASSWORD,
        "imap_host": HOST,
        "imap_port": servers.ports.imaps,
        "smtp_host": HOST,
        "smtp_port": servers.ports.smtps,
        "trusted_certificate": servers.certificates.authority,
    }


def an_inbox(servers: MailServers, **changes: object) -> InboxView[EmailSettings]:
    address = servers.account(f"help-{new_id().hex[-12:]}")
    settings = EmailSettings.model_validate({**settings_for(servers, address), **changes})
    return InboxView(new_id(), new_id(), settings, hook_token=HOOK_TOKEN)


@pytest.fixture
def mailboxes(servers: MailServers) -> Mailboxes:
    return Mailboxes(servers)
