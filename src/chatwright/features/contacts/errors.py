"""What can go wrong in the contacts room."""

from chatwright.kernel.errors import Conflict, InvalidInput, NotFound


class ContactNotFound(NotFound):
    code = "CONTACT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such contact in this workspace.")


class IdentityTaken(Conflict):
    code = "IDENTITY_TAKEN"
    hint = "Merge the two contacts if they are the same person."


class TagExists(Conflict):
    code = "TAG_EXISTS"


class TagInUse(Conflict):
    code = "TAG_IN_USE"
    hint = "Change or delete those segments first."


class FieldNotFound(NotFound):
    code = "FIELD_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such custom field in this workspace.")


class FieldExists(Conflict):
    code = "FIELD_EXISTS"


class FieldInUse(Conflict):
    code = "FIELD_IN_USE"
    hint = "Change or delete those segments first."


class UnknownField(InvalidInput):
    code = "UNKNOWN_FIELD"
    hint = "List the custom fields to see their keys."


class FieldMismatch(InvalidInput):
    code = "FIELD_MISMATCH"


class NoteNotFound(NotFound):
    code = "NOTE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such note on a contact of this workspace.")


class SegmentNotFound(NotFound):
    code = "SEGMENT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such segment in this workspace.")


class MergeNotFound(NotFound):
    code = "MERGE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such merge in this workspace.")


class MergeImpossible(Conflict):
    code = "MERGE_IMPOSSIBLE"


class ImportNotFound(NotFound):
    code = "IMPORT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such import in this workspace.")


class ExportNotFound(NotFound):
    code = "EXPORT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such export in this workspace.")
