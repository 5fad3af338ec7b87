"""Objects as files in a folder."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from chatwright.kernel.errors import InvalidInput, NotFound, PayloadTooLarge
from chatwright.kernel.ids import new_id

CHUNK_BYTES = 256 * 1024


class FolderStorage:
    """Keeps each object as one file; a write is whole or not there at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: AsyncIterator[bytes], *, limit: int) -> int:
        """Write beside the place, then move into it."""
        path = self._path(key)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{new_id().hex}")
        try:
            size = await _write(unfinished, content, limit)
            await asyncio.to_thread(unfinished.replace, path)
        finally:
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)
        return size

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Read in chunks of 256 KiB."""
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError as error:
            message = "This file is not in the store."
            raise NotFound(message) from error
        try:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        path = (self._folder / key).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            message = "A storage key must stay inside the store."
            raise InvalidInput(message)
        return path


async def _write(path: Path, content: AsyncIterator[bytes], limit: int) -> int:
    size = 0
    with path.open("wb") as file:
        async for chunk in content:
            size += len(chunk)
            if size > limit:
                message = f"The file is larger than the limit of {limit} bytes."
                raise PayloadTooLarge(message)
            await asyncio.to_thread(file.write, chunk)
    return size
