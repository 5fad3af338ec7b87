"""What an answer means to choices that had to be sent as numbers."""

from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from chatwright.features.messaging.deliveries import store
from chatwright.features.messaging.deliveries.degrading import NUMBERED, answer_to
from chatwright.ports.content import Content, TextContent

LONGEST_ANSWER: Final = 80
"""Characters: nobody chooses in more words than a label has."""

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


async def meant_by(conversation_id: UUID, content: Content) -> Content:
    """The choice that a text names, if our last message in the conversation asked by numbers; else the content."""
    if not isinstance(content, TextContent) or len(content.text) > LONGEST_ANSWER:
        return content
    asked = await store.LAST_ASKED.first(conversation_id, NUMBERED)
    if asked is None:
        return content
    return answer_to(_CONTENT.validate_python(asked), content.text) or content
