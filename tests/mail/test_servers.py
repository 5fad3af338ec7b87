import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.mail.servers import MailServers, mail_servers

HELD_OPEN = """
from tests.mail.servers import mail_servers
with mail_servers() as servers:
    print(servers.folder, flush=True)
    input()
"""


@pytest.fixture(scope="module")
def servers() -> Generator[MailServers]:
    with mail_servers() as running:
        yield running


def letter(subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@people.test", "bob@shop.test", subject
    mail.set_content("Hello")
    return mail


def first_subject(servers: MailServers, name: str) -> str:
    """Of the mail that arrives; pytest's time-out ends the wait."""
    while True:
        with servers.mailbox(name) as mailbox:
            for mail in mailbox.fetch():
                return mail.subject
        time.sleep(0.05)


def test_a_mail_arrives_under_any_detail_of_an_address(servers: MailServers) -> None:
    servers.account("bob")
    servers.post(letter("Hi Bob"), sender="ann@people.test", to="bob+detail@shop.test")
    assert first_subject(servers, "bob") == "Hi Bob"


def test_an_unknown_address_is_reported_to_the_sender(servers: MailServers) -> None:
    servers.account("ann")
    servers.post(letter("Anybody?"), sender="ann@people.test", to="stranger@shop.test")
    assert "delivery failed" in first_subject(servers, "ann")


def test_a_killed_test_leaves_nothing_behind(repository: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HELD_OPEN],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        folder = Path(holder.stdout.readline().strip())
        assert folder.is_dir()
        processes = using(folder)
        assert len(processes) > 2
        os.kill(holder.pid, signal.SIGKILL)
    while folder.exists() or using(folder):
        time.sleep(0.05)


def using(folder: Path) -> list[int]:
    """Ids of the processes that were started with something in the folder."""
    found: list[int] = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in words:
                found.append(int(process.name))
    return found
