"""Forms with files (multipart/form-data, RFC 7578), streamed so that a large file is never whole in memory."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form."""

    field: str
    filename: str
    media_type: str
    content: AsyncIterator[bytes]
    size: int
    """Bytes that `content` gives, exactly."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form on its way: its headers, and its body piece by piece."""

    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


def multipart(fields: Mapping[str, str], files: Sequence[FormFile]) -> Form:
    """Put a form together; its length is known beforehand, because some providers refuse chunked bodies."""
    boundary = secrets.token_hex(16)
    texts = [_part(boundary, f'name="{quote(name)}"', value.encode()) for name, value in fields.items()]
    heads = [_head(boundary, _file_words(file), file.media_type) for file in files]
    end = f"--{boundary}--\r\n".encode()
    length = sum(map(len, texts)) + sum(map(len, heads)) + sum(file.size + 2 for file in files) + len(end)

    async def body() -> AsyncIterator[bytes]:
        for text in texts:
            yield text
        for head, file in zip(heads, files, strict=True):
            yield head
            async for piece in file.content:
                yield piece
            yield b"\r\n"
        yield end

    headers = {"content-type": f"multipart/form-data; boundary={boundary}", "content-length": str(length)}
    return Form(headers, body())


def _part(boundary: str, words: str, value: bytes) -> bytes:
    return f"--{boundary}\r\ncontent-disposition: form-data; {words}\r\n\r\n".encode() + value + b"\r\n"


def _head(boundary: str, words: str, media_type: str) -> bytes:
    kind = media_type.replace("\r", "").replace("\n", "")
    return f"--{boundary}\r\ncontent-disposition: form-data; {words}\r\ncontent-type: {kind}\r\n\r\n".encode()


def _file_words(file: FormFile) -> str:
    # RFC 7578, 4.2: quotes and line breaks in a name are percent-encoded, as browsers do.
    name = file.filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'name="{quote(file.field)}"; filename="{name}"'
