"""Queries of the contacts room about contacts themselves."""

from dataclasses import dataclass
from uuid import UUID

from chatwright.features.contacts.models import Consent, ConsentRecord, Contact
from chatwright.features.contacts.profiles import Profile
from chatwright.ports.database import Statement, record, value


@dataclass(frozen=True, slots=True)
class Recognised:
    """An identity that is known, and what its contact lacks."""

    kind: str
    value: str
    contact_id: UUID
    lacks_name: bool
    lacks_email: bool
    lacks_phone: bool
    lacks_locale: bool


PROFILE_COLUMNS = (
    "name, first_name, last_name, emails, phones, locale, timezone, fields, folded, search_words"
)
_PROFILE = "name, first_name, last_name, emails, phones, locale, timezone, fields"

CONTACT = """
    c.id, c.name, c.first_name, c.last_name, c.emails, c.phones, c.locale, c.timezone, c.fields,
    c.blocked_at is not null as blocked, c.created_at, c.updated_at,
    array(select tags.name from contact_tags ct join tags on tags.id = ct.tag_id
          where ct.contact_id = c.id order by tags.key) as tags,
    coalesce((select jsonb_agg(jsonb_build_object('inbox_id', i.inbox_id, 'kind', i.kind, 'value', i.value)
                               order by i.position)
              from contact_identities i
              where i.contact_id = c.id and ({inboxes}::uuid[] is null or i.inbox_id = any({inboxes}))),
             '[]') as identities,
    coalesce((select jsonb_agg(to_jsonb(latest) order by latest.channel) from (
                  select distinct on (channel) channel, state, source, evidence, given_at, recorded_by
                  from contact_consents where contact_id = c.id
                  order by channel, given_at desc, id desc) latest),
             '[]') as consents
"""
"""The columns of a `Contact` of `contacts c`; `{inboxes}` is the parameter with the caller's inbox limits."""

VISIBLE = """
    c.workspace_id = $1 and c.merged_into is null
    and ({inboxes}::uuid[] is null or exists (
        select 1 from contact_identities seen
        where seen.contact_id = c.id and seen.inbox_id = any({inboxes})))
"""
"""Which of `contacts c` a caller may see at all; `$1` is the workspace."""

INSERT_CONTACT = Statement(
    "contacts.insert_contact",
    f"""
    insert into contacts (workspace_id, id, {PROFILE_COLUMNS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    """,
    value,
)
SAVE_PROFILE = Statement(
    "contacts.save_profile",
    f"""
    update contacts set ({PROFILE_COLUMNS}) = ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12), updated_at = now()
    where workspace_id = $1 and id = $2
    """,
    value,
)
SHOW_CONTACTS = Statement(
    "contacts.show_contacts",
    f"""
    select {CONTACT.format(inboxes="$3")} from unnest($2::uuid[]) with ordinality as wanted (id, place)
    join contacts c on c.id = wanted.id where c.workspace_id = $1 order by wanted.place
    """,
    Contact,
)
LOCK_PROFILE = Statement(
    "contacts.lock_profile",
    f"select {_PROFILE} from contacts where workspace_id = $1 and id = $2 for no key update",
    Profile,
)
FIND_CONTACT = Statement(
    "contacts.find_contact",
    f"select {CONTACT.format(inboxes='$3')} from contacts c where {VISIBLE.format(inboxes='$3')} and c.id = $2",
    Contact,
)
_SURVIVOR = """
    with recursive path as (
        select id, merged_into from contacts where workspace_id = $1 and id = $2
        union all
        select c.id, c.merged_into from path join contacts c on c.id = path.merged_into)
    select id from path where merged_into is null
"""
FAMILY = Statement(
    "contacts.family",
    """
    with recursive family (id) as (
        select $2::uuid
        union select contacts.id from family join contacts on contacts.merged_into = family.id
        where contacts.workspace_id = $1)
    select id from family
    """,
    value,
)
SURVIVOR = Statement("contacts.survivor", _SURVIVOR, value)
SET_BLOCKED = Statement(
    "contacts.set_blocked",
    """
    update contacts set blocked_at = case when $3 then now() end
    where workspace_id = $1 and id = $2 and (blocked_at is not null) <> $3 returning id
    """,
    value,
)
DELETE_CONTACT = Statement(
    "contacts.delete_contact", "delete from contacts where workspace_id = $1 and id = $2", value
)
IS_BLOCKED = Statement(
    "contacts.is_blocked",
    f"select blocked_at is not null from contacts where id = ({_SURVIVOR})",
    value,
)
HELD_BY_ADDRESS: Statement[UUID] = Statement(
    "contacts.held_by_address",
    """
    select id from contacts
    where workspace_id = $1 and merged_into is null and (emails && $2::text[] or phones && $3::text[])
    order by id limit 1 for key share
    """,
    value,
)
"""The oldest, which then stays until the transaction ends."""
NAMES_OF = Statement(
    "contacts.names_of",
    """
    with recursive path as (
        select id as asked, id, name, merged_into from contacts where workspace_id = $1 and id = any($2)
        union all
        select path.asked, c.id, c.name, c.merged_into from path join contacts c on c.id = path.merged_into)
    select asked as id, name from path where merged_into is null
    """,
    record,
)
LOCK_IDENTITY = Statement("contacts.lock_identity", "select pg_advisory_xact_lock($1) as locked", value)
RECOGNISE = Statement(
    "contacts.recognise",
    """
    select i.kind, i.value, c.id as contact_id, c.name is null as lacks_name,
           c.emails = '{}' as lacks_email, c.phones = '{}' as lacks_phone, c.locale is null as lacks_locale
    from contact_identities i join contacts c on c.id = i.contact_id
    where i.workspace_id = $1 and i.inbox_id = $2 and c.merged_into is null
      and (i.kind, i.value) in (select * from unnest($3::text[], $4::text[]))
    order by c.id for key share of c
    """,
    Recognised,
)
"""Holds the contacts until the transaction ends, so that none is merged or deleted meanwhile; the order keeps
two such calls, or one and a merge, from waiting for each other."""
ADD_IDENTITY = Statement(
    "contacts.add_identity",
    """
    insert into contact_identities (workspace_id, inbox_id, kind, value, contact_id) values ($1, $2, $3, $4, $5)
    on conflict do nothing
    """,
    value,
)

INSERT_CONSENT = Statement(
    "contacts.insert_consent",
    """
    insert into contact_consents
        (id, workspace_id, contact_id, channel, state, source, evidence, given_at, recorded_by)
    values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()), $9)
    """,
    value,
)
LATEST_CONSENT = Statement(
    "contacts.latest_consent",
    f"""
    select channel, state, source, evidence, given_at, recorded_by from contact_consents
    where workspace_id = $1 and contact_id = ({_SURVIVOR}) and channel = $3
    order by given_at desc, id desc limit 1
    """,
    Consent,
)
LIST_CONSENTS = Statement(
    "contacts.list_consents",
    """
    select id, channel, state, source, evidence, given_at, recorded_by, recorded_at from contact_consents
    where workspace_id = $1 and contact_id = $2 and id > $3 order by id limit $4
    """,
    ConsentRecord,
)
SEGMENT_FILTERS = Statement(
    "contacts.segment_filters", "select name, filter from segments where workspace_id = $1", record
)
CARRIES = Statement(
    "contacts.carries",
    """
    select exists (
        select from contacts join contact_tags worn on worn.contact_id = coalesce(contacts.merged_into, contacts.id)
        where contacts.workspace_id = $1 and contacts.id = $2 and worn.tag_id = any($3::uuid[]))
    """,
    value,
)
