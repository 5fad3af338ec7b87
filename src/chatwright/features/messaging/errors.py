"""What can go wrong in the messaging room."""

from chatwright.kernel.errors import Conflict, InvalidInput, NotFound


class ConversationNotFound(NotFound):
    code = "CONVERSATION_NOT_FOUND"


class MessageNotFound(NotFound):
    code = "MESSAGE_NOT_FOUND"


class AttachmentNotFound(NotFound):
    code = "ATTACHMENT_NOT_FOUND"


class ReplyNotFound(NotFound):
    code = "SAVED_REPLY_NOT_FOUND"


class UnknownChannel(InvalidInput):
    code = "UNKNOWN_CHANNEL"


class OwnerChanged(Conflict):
    code = "OWNER_CHANGED"
    hint = "Read the conversation again before you answer."


class NotYourConversation(Conflict):
    code = "NOT_YOUR_CONVERSATION"
    hint = "The bot does not answer this conversation now; leave it to the people."


class ContactBlocked(Conflict):
    code = "CONTACT_BLOCKED"
    hint = "Unblock the contact first."
