"""Small types that inputs of this room share."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
FieldKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
FieldText = Annotated[str, StringConstraints(max_length=5000)]
Whole = Annotated[int, Field(ge=-(10**15), le=10**15)]
"""Beyond it JSON readers that know only 64-bit floats lose whole numbers."""
Decimal = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
FieldValue = FieldText | bool | Whole | Decimal
"""A custom value as it goes in and out; dates are text in ISO 8601."""
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
InboxIds = Annotated[list[UUID], Field(min_length=1, max_length=100)]
