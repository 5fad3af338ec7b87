"""Tables of the messaging room."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

from chatwright.ports.ledger import ledger_columns

metadata = MetaData()
_now = text("now()")

inboxes = Table(
    "inboxes",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("channel", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("secrets", LargeBinary),
    Column("account", Text),
    Column("health", Text, nullable=False, server_default="ok"),
    Column("health_words", Text),
    Column("health_until", TIMESTAMP(timezone=True)),
    Column("per_second", Float),
    Column("renew_at", TIMESTAMP(timezone=True)),
    Column("quiet_hours", JSONB),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("deleted_at", TIMESTAMP(timezone=True)),
    Index("inboxes_workspace", "workspace_id", "id"),
    Index("inboxes_account", "channel", "account", unique=True, postgresql_where=text("deleted_at is null")),
    Index("inboxes_renewal", "renew_at", postgresql_where=text("deleted_at is null")),
)
"""`secrets` are the channel's secret settings as sealed JSON; `account` is the provider's, which one inbox has.

It is null until a live look has shown that it is the inbox's, and where there is no such thing.
`per_second` is a pace of this inbox's own, where the provider told us of one."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, ForeignKey("inboxes.id"), nullable=False),
    Column("contact_id", UUID, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("snoozed_until", TIMESTAMP(timezone=True)),
    Column("assignee_id", UUID),
    Column("owner", Text, nullable=False, server_default="bot"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("last_position", BigInteger, nullable=False, server_default="0"),
    Column("last_text", Text, nullable=False, server_default=""),
    Column("last_inbound_at", TIMESTAMP(timezone=True)),
    Column("window_opened_at", TIMESTAMP(timezone=True)),
    Column("window_ends_at", TIMESTAMP(timezone=True)),
    Column("read_position", BigInteger, nullable=False, server_default="0"),
    Column("contact_read_position", BigInteger, nullable=False, server_default="0"),
    Column("unread", Integer, nullable=False, server_default="0"),
    Column("unreachable", Integer, nullable=False, server_default="0"),
    Column("unreachable_at", TIMESTAMP(timezone=True)),
    Column("unreachable_words", Text),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("inbox_id", "address", name="conversations_one_per_address"),
    Index("conversations_recent", "workspace_id", "updated_at", "id"),
    Index("conversations_contact", "contact_id", "inbox_id"),
    Index("conversations_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
)
"""`address` is where the contact is reached in this inbox; `version` counts changes of the owner.

Until `window_ends_at` we may write freely: it is null where the contact never opened a window, and where the
channel has none. `window_opened_at` is when the contact last did something that opens one. `unreachable` counts
how often the provider said, since the last message that it took, that nobody is at the address.

A contact has one address in an inbox and so one conversation. Only a contact that absorbed another one may have
two of both, and each is answered where it was written."""

messages = Table(
    "messages",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("conversation_id", UUID, ForeignKey("conversations.id"), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("sent_at", TIMESTAMP(timezone=True)),
    Column("reply_to", Text),
    Column("referral", JSONB),
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    Column("edited_at", TIMESTAMP(timezone=True)),
    Column("unsent_at", TIMESTAMP(timezone=True)),
    Column("pricing", JSONB),
    Column("held", Text),
    Column("degraded", ARRAY(Text), nullable=False, server_default="{}"),
    Column("rules", ARRAY(Text), nullable=False, server_default="{}"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("conversation_id", "position", name="messages_position"),
    Index("messages_external", "inbox_id", "direction", "external_id", unique=True),
    Index(
        "messages_attachment",
        text("(content ->> 'attachment_id')"),
        postgresql_where=text("content ->> 'attachment_id' is not null"),
    ),
)
"""`held` says why one that goes out waits, `degraded` what was changed in it for its channel, and `rules` which
rules let it pass, both in words."""

message_statuses = Table(
    "message_statuses",
    metadata,
    Column("message_id", UUID, ForeignKey("messages.id"), primary_key=True),
    Column("status", Text, primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("code", Text),
    Column("detail", Text),
)
"""Every status a message ever got, with its first time; `messages.status` is the furthest."""

message_events = Table(
    "message_events",
    metadata,
    Column("message_id", UUID, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", UUID, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Index("message_events_event", "event_id"),
)
"""Which raw events said what of a message: that it came, was edited, delivered, reacted to, taken back."""

message_reactions = Table(
    "message_reactions",
    metadata,
    Column("message_id", UUID, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("author", Text, primary_key=True),
    Column("emoji", Text, nullable=False),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
)
"""What each side thinks of a message; one reaction for each author."""

referrals = Table(
    "referrals",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("contact_id", UUID, nullable=False),
    Column("conversation_id", UUID, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", UUID),
    Column("referral", JSONB, nullable=False),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Index("referrals_conversation", "conversation_id"),
    Index("referrals_contact", "workspace_id", "contact_id", "at"),
)
"""Through which ads and links a contact came, one row for each time."""

inbound_events = Table(
    "inbound_events",
    metadata,
    *ledger_columns("inbound_events"),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("unknown", Text),
    UniqueConstraint("inbox_id", "dedupe_key", name="inbound_events_once"),
    Index(
        "inbound_events_odd",
        "inbox_id",
        "id",
        postgresql_where=text("state = 'failed' or unknown is not null"),
    ),
)
"""Raw provider events, stored before anything is done with them; `unknown` names what nobody here knows in it."""

leads = Table(
    "leads",
    metadata,
    *ledger_columns("leads"),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("form_id", Text),
    Column("ad_id", Text),
    Column("answers", JSONB),
    Column("contact_id", UUID),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("inbox_id", "lead_id", name="leads_once"),
    Index("leads_contact", "contact_id"),
)
"""Answers to forms at the provider, a ledger: what has to be fetched is fetched by its work."""

media_downloads = Table(
    "media_downloads",
    metadata,
    *ledger_columns("media_downloads"),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("message_id", UUID, ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("media", LargeBinary),
)
"""Files to fetch from providers. `media` is what they are fetched by, sealed, and gone when that is done."""

courtesies = Table(
    "courtesies",
    metadata,
    *ledger_columns("courtesies"),
    Column("workspace_id", UUID, nullable=False),
    Column("conversation_id", UUID, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("what", Text, nullable=False),
    Index(
        "courtesies_once",
        "conversation_id",
        "what",
        unique=True,
        postgresql_where=text("state = 'queued'"),
    ),
)
"""What a provider may show the contact of us, if all goes well: that we read (`read`), that we type (`typing`)."""

listeners = Table(
    "listeners",
    metadata,
    Column("inbox_id", UUID, ForeignKey("inboxes.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("cursor", JSONB, nullable=False),
    Column("lease_owner", UUID),
    Column("due_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("moved_at", TIMESTAMP(timezone=True)),
    Index("listeners_due", "due_at"),
)
"""Who fetches what came in for an inbox whose provider calls nobody, and how far: one process at a time has the
lease, until `due_at`. Without an owner `due_at` is when to try again."""

message_templates = Table(
    "message_templates",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, ForeignKey("inboxes.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("components", JSONB, nullable=False, server_default="[]"),
    Column("template_id", Text),
    Column("quality", Text),
    Column("reason", Text),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("inbox_id", "name", "language", name="message_templates_one"),
    Index("message_templates_workspace", "workspace_id", "id"),
)
"""Templates as the provider last told us of them."""

unknown_events = Table(
    "unknown_events",
    metadata,
    Column("inbox_id", UUID, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("last_event_id", UUID, nullable=False),
    Column("last_seen_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
)
"""How often each inbox got something that nobody here knows, and where to look at the latest."""

deliveries = Table(
    "deliveries",
    metadata,
    *ledger_columns("deliveries"),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("message_id", UUID, ForeignKey("messages.id"), nullable=False),
    Column("part", Integer, nullable=False, server_default="1"),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("wire_id", UUID, nullable=False),
    Column("content", JSONB),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("held", Text),
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    Column("wait_for_window", Boolean, nullable=False, server_default=text("false")),
    Column("slot_at", TIMESTAMP(timezone=True)),
    Column("sending_at", TIMESTAMP(timezone=True)),
    Column("first_tried_at", TIMESTAMP(timezone=True)),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("probe", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("message_id", "part", "round", name="deliveries_once"),
    Index("deliveries_wire", "wire_id"),
    Index("deliveries_held", "inbox_id", "held", postgresql_where=text("held is not null")),
)
"""Intended sends, in order per conversation: one row for each part of a message, and for each round of sending it.

A further round begins when somebody sends the message again. `wire_id` is what the channel carries along as our id;
a part without `content` of its own says what the message says. `held` rows stay in their lane, due at the end of
time or of the quiet hours, so that no later one overtakes them. `slot_at` is the moment that was reserved in the
inbox's pace. `sending_at` is the intent: the row of a worker that died has one, and may have gone out."""

delivery_ids = Table(
    "delivery_ids",
    metadata,
    Column("inbox_id", UUID, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("delivery_id", UUID, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    Index("delivery_ids_delivery", "delivery_id"),
)
"""What the channel calls what we sent: several ids where it made several messages of one."""

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("delivery_id", UUID, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", UUID, nullable=False),
    Column("started_at", TIMESTAMP(timezone=True), nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("outcome", Text),
    Column("code", Text),
    Column("detail", Text),
    Column("answer", JSONB),
    Index("delivery_attempts_message", "message_id", "started_at"),
    Index("delivery_attempts_delivery", "delivery_id"),
)
"""Every call to a channel: `outcome` is a reaction or `sent`, and null while nobody knows."""

send_buckets = Table(
    "send_buckets",
    metadata,
    Column("inbox_id", UUID, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("free_at", TIMESTAMP(timezone=True), nullable=False),
    Column("blocked_until", TIMESTAMP(timezone=True)),
    Column("share", Float, nullable=False, server_default="1"),
    Column("slowed_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("pause_seconds", Float),
)
"""The pace of an inbox (no address) and of one person in it, as the generic cell rate algorithm keeps it:
`free_at` is when the next one may go if each kept its distance. `share` is how much of the pace a provider under
load had left us at `slowed_at`; `pause_seconds` is how long the provider's current stop of the inbox was taken to
last."""

delivery_lookups = Table(
    "delivery_lookups",
    metadata,
    *ledger_columns("delivery_lookups"),
    Column("workspace_id", UUID, nullable=False),
    Column("delivery_id", UUID, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, unique=True),
)
"""Sends with an unknown end whose provider can be asked."""

attachments = Table(
    "attachments",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("unwanted_at", TIMESTAMP(timezone=True)),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Index("attachments_workspace", "workspace_id", "id"),
    Index("attachments_unwanted", "unwanted_at", postgresql_where=text("unwanted_at is not null")),
)
"""From `unwanted_at` on a file may be deleted, if no message has it."""

saved_replies = Table(
    "saved_replies",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("shortcut", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("workspace_id", "shortcut", name="saved_replies_shortcut"),
)
