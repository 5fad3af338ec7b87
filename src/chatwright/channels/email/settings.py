"""What an inbox of this channel is set up with."""

import ssl
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from chatwright.ports.secret_settings import DESTINATION

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Host = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[a-z0-9._-]{1,253}$")
]
Port = Annotated[int, Field(ge=1, le=65535)]
Security = Literal["tls", "starttls", "none"]


Address = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$",
    ),
]


class EmailSettings(BaseModel):
    """A mailbox."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    address: Address
    """The address that customers write to, e.g. help@example.com."""
    name: Words = ""
    """Name that customers see beside the address."""
    password: SecretStr
    """Password of the mailbox; with two-factor sign-in, an app password."""
    username: Words = ""
    """Name to sign in with, if it is not the address."""
    imap_host: Annotated[Host, DESTINATION]
    """Server that incoming mail is read from, e.g. imap.example.com."""
    imap_port: Port = 993
    """Its port: 993 for tls, 143 for starttls."""
    imap_security: Security = "tls"
    """How the connection is encrypted; `none` only for servers that this product's own settings allow."""
    folder: Words = "INBOX"
    """Folder that is read."""
    mark_seen: bool = False
    """Whether mail that came in here is marked as read on the server."""
    smtp_host: Annotated[Host, DESTINATION]
    """Server that mail is sent through, e.g. smtp.example.com."""
    smtp_port: Port = 465
    """Its port: 465 for tls, 587 for starttls."""
    smtp_security: Security = "tls"
    """How the connection is encrypted; `none` only for servers that this product's own settings allow."""
    smtp_username: Words = ""
    """Name to sign in with for sending, if it is another one."""
    smtp_password: SecretStr = SecretStr("")
    """Password for sending, if it is another one."""
    plus_addresses: bool = True
    """Whether help+anything@example.com reaches this mailbox too: answers are then recognised by their address."""
    trusted_certificate: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)] = ""
    """Certificate of a private authority to trust, as PEM text; empty for the public ones."""

    @model_validator(mode="after")
    def _readable_certificate(self) -> Self:
        if not self.trusted_certificate:
            return self
        try:
            self.tls_context()
        except (ssl.SSLError, ValueError) as error:
            message = "trusted_certificate is no certificate in PEM form"
            raise ValueError(message) from error
        return self

    def tls_context(self) -> ssl.SSLContext:
        """Whom to trust: the public authorities, or the private one alone."""
        return ssl.create_default_context(cadata=self.trusted_certificate or None)

    def imap_login(self) -> tuple[str, str]:
        """Name and password for reading."""
        return self.username or self.address, self.password.get_secret_value()

    def smtp_login(self) -> tuple[str, str]:
        """Name and password for sending."""
        name, password = self.imap_login()
        return self.smtp_username or name, self.smtp_password.get_secret_value() or password

    def domain(self) -> str:
        """The part of the address behind the @."""
        return self.address.rpartition("@")[2]
