"""Real mail servers for tests: Dovecot reads mail out and takes it in, Exim sends it on and reports what failed.

They run in a folder of their own as an ordinary user, touch no service of the machine, and end with the tests.
`./dev` installs them. The domains shop.test, people.test and else.test are theirs; an account has one mailbox in
all three, for every `name+detail` too. What Exim refuses by name is in exim.conf.
"""

import grp
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

from imap_tools.mailbox import BaseMailBox, MailBoxStartTls

from tests.mail.authority import HOST, Certificates, make_certificates

HERE = Path(__file__).parent
PASSWORD = "correct horse"
START_SECONDS = 20
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where servers are installed, which is not on everybody's PATH."""


@dataclass(frozen=True)
class Ports:
    """Where the servers listen on 127.0.0.1."""

    smtp: int
    """STARTTLS is offered, and a password taken only under it; mail to our domains needs none."""
    smtps: int
    imap: int
    """A password is taken only after STARTTLS."""
    imaps: int
    lmtp: int


@dataclass(frozen=True)
class MailServers:
    """Running servers."""

    folder: Path
    ports: Ports
    certificates: Certificates

    def account(self, name: str, password: str = PASSWORD) -> str:
        """Make a mailbox; returns its address at shop.test."""
        with (self.folder / "passwords").open("a") as passwords:
            passwords.write(f"{name}: {password}\n")
        (self.folder / "accounts" / name).write_text(f"{name}:{{PLAIN}}{password}::::::\n")
        return f"{name}@shop.test"

    def post(self, mail: EmailMessage | bytes, *, sender: str, to: str) -> None:
        """Deliver a mail the way another provider's server does."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        with SMTP("127.0.0.1", self.ports.smtp, timeout=10) as smtp:
            smtp.sendmail(sender, [to], raw, mail_options=["BODY=8BITMIME"])

    @contextmanager
    def mailbox(self, name: str) -> Generator[BaseMailBox]:
        """Look into a mailbox, as its owner does."""
        trusting = ssl.create_default_context(cadata=self.certificates.authority)
        with MailBoxStartTls(HOST, self.ports.imap, timeout=10, ssl_context=trusting) as mailbox:
            yield mailbox.login(name, PASSWORD)

    def mails(self, name: str) -> list[bytes]:
        """The mails of a mailbox, byte for byte as they arrived."""
        with self.mailbox(name) as mailbox:
            fetched = [mailbox.client.uid("FETCH", uid, "(BODY.PEEK[])") for uid in mailbox.uids()]
        return [data[0][1] for _, data in fetched]

    def cut_off(self, name: str) -> None:
        """End all connections to a mailbox, as a server does that restarts."""
        command = [_program("doveadm"), "-c", str(self.folder / "dovecot.conf"), "kick", name]
        subprocess.run(command, check=True, capture_output=True)

    def words(self) -> str:
        """What the servers logged, for a test that failed."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')}" for log in self.folder.glob("*log")
        )


@contextmanager
def mail_servers(*, idle: bool = True) -> Generator[MailServers]:
    """Start both on free ports; they end with the block, or with this process if it is killed.

    Without `idle` the IMAP server is an old one that does not offer IDLE.
    """
    dovecot, exim = _program("dovecot"), _program("exim4", "exim")
    user, group = _unprivileged()
    # Not in pytest's folder, which nobody but its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="chatwright-mail-"))
    servers = MailServers(folder, _free_ports(), make_certificates())
    _furnish(servers, user, group, capabilities="" if idle else "imap_capability = IMAP4rev1")
    commands = [
        [dovecot, "-F", "-c", str(folder / "dovecot.conf")],
        [exim, "-C", str(folder / "exim.conf"), "-bdf", "-q1s"],
    ]
    keeper = [sys.executable, str(HERE / "keeper.py"), str(folder), user if _is_root() else ""]
    with subprocess.Popen([*keeper, json.dumps(commands)], stdin=subprocess.PIPE) as running:
        _wait_until_open(servers, running)
        yield servers
        assert running.stdin
        running.stdin.close()


def _program(*names: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    message = f"These tests run a real {names[0]}. ./dev test installs it, or says how."
    raise FileNotFoundError(message)


def _is_root() -> bool:
    return os.geteuid() == 0


def _unprivileged() -> tuple[str, str]:
    """Who the servers run as: this user, or nobody where this user may do everything."""
    user = pwd.getpwnam("nobody") if _is_root() else pwd.getpwuid(os.geteuid())
    return user.pw_name, grp.getgrgid(user.pw_gid).gr_name


def _furnish(servers: MailServers, user: str, group: str, *, capabilities: str) -> None:
    """Everything the servers find in their folder."""
    folder = servers.folder
    (folder / "server.pem").write_text(servers.certificates.server)
    (folder / "key.pem").write_text(servers.certificates.key)
    (folder / "passwords").touch()
    for name in ("accounts", "mail", "run", "state", "spool"):
        (folder / name).mkdir()
    values = {"folder": str(folder), "user": user, "group": group, "capabilities": capabilities}
    values |= asdict(servers.ports)
    for name in ("dovecot.conf", "exim.conf"):
        (folder / name).write_text(_filled((HERE / name).read_text(), values))
    if _is_root():
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user, group)
        # Exim believes a configuration that others cannot have changed.
        shutil.chown(folder / "exim.conf", "root", group)
        (folder / "exim.conf").chmod(0o640)


def _filled(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", str(value))
    return text


def _free_ports() -> Ports:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5)]
        return Ports(*(listener.getsockname()[1] for listener in taken))


def _wait_until_open(servers: MailServers, keeper: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    for port in asdict(servers.ports).values():
        while not _is_open(port):
            if time.monotonic() > until or keeper.poll() is not None:
                message = f"The mail servers did not start.\n{servers.words()}"
                raise RuntimeError(message)
            time.sleep(0.05)


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
