"""Ids sort as they were made, also within a millisecond."""

from uuid import RFC_4122

from chatwright.kernel.ids import new_id


def test_ids_made_in_a_row_are_in_the_order_of_making() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)
    # Some of them are of one millisecond, or this would show nothing.
    assert len({each.int >> 80 for each in made}) < len(made)


def test_an_id_is_of_version_7() -> None:
    assert (new_id().version, new_id().variant) == (7, RFC_4122)
