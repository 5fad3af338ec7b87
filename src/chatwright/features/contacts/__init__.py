"""The people a business talks to: identities, fields, tags, notes, segments, consent."""
