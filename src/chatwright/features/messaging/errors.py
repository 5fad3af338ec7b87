"""What can go wrong in the messaging room."""

from chatwright.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable


class ConversationNotFound(NotFound):
    code = "CONVERSATION_NOT_FOUND"


class MessageNotFound(NotFound):
    code = "MESSAGE_NOT_FOUND"


class AttachmentNotFound(NotFound):
    code = "ATTACHMENT_NOT_FOUND"


class ReplyNotFound(NotFound):
    code = "SAVED_REPLY_NOT_FOUND"


class TemplateNotFound(NotFound):
    code = "TEMPLATE_NOT_FOUND"


class EventNotFound(NotFound):
    code = "EVENT_NOT_FOUND"


class NoTemplates(Conflict):
    code = "NO_TEMPLATES"


class TemplateNotUsable(Conflict):
    code = "TEMPLATE_NOT_USABLE"
    hint = "Wait until the provider has approved it, or send another one."


class UnknownChannel(InvalidInput):
    code = "UNKNOWN_CHANNEL"


class AccountConnected(Conflict):
    code = "ACCOUNT_CONNECTED"
    hint = "Delete the other inbox first, or connect another account."


class OtherAccount(Conflict):
    code = "OTHER_ACCOUNT"
    hint = "Connect another account as an inbox of its own."


class InboxNotReady(InvalidInput):
    code = "INBOX_NOT_READY"
    hint = "Put right what the fields say, then connect again."


class ProviderNotReached(Unavailable):
    code = "PROVIDER_NOT_REACHED"


class OwnerChanged(Conflict):
    code = "OWNER_CHANGED"
    hint = "Read the conversation again before you answer."


class NotYourConversation(Conflict):
    code = "NOT_YOUR_CONVERSATION"
    hint = "The bot does not answer this conversation now; leave it to the people."


class ContactBlocked(Conflict):
    code = "CONTACT_BLOCKED"
    hint = "Unblock the contact first."


class ReplyImpossible(Conflict):
    code = "REPLY_IMPOSSIBLE"


class WrongStatus(Conflict):
    code = "WRONG_STATUS"


class SendRefused(Conflict):
    """Root of what forbids a send; `details` has the evidence, as `messages.check_send` shows it."""

    code = "SEND_REFUSED"


class WindowClosed(SendRefused):
    code = "WINDOW_CLOSED"
    hint = "Send an approved template, use another conversation of the contact, or let it wait (when_closed: hold)."


class OptedOut(SendRefused):
    code = "OPTED_OUT"
    hint = "Write only after the contact has agreed again."


class Unreachable(SendRefused):
    code = "UNREACHABLE"
    hint = "Use another conversation of the contact, or wait until they write."


class InboxPaused(SendRefused):
    code = "INBOX_PAUSED"
    hint = "See what is wrong with the inbox, or let the message wait for it (when_closed: hold)."
