"""What a refresh token may still do, judged by its lineage (RFC 9700 §4.14.2).

Each use gives a successor. A phone may lose the answer and ask again with what it has: until one of the successors is
used, each asking gives one more, and all of them are good. The use of one retires the others and what was before; a
retired token that comes again was copied, and so was one that comes from another key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Phones lose answers in lifts, and systems kill apps over night.
GRACE = timedelta(hours=24)
ROTATE, AGAIN, REUSED, LATE = "rotate", "again", "reused", "late"


@dataclass(frozen=True, slots=True)
class Link:
    """A token as it was found: when it was first used, whether it was retired, and `at` by the database's clock."""

    used_at: datetime | None
    retired: bool
    at: datetime


def judge(link: Link, *, same_key: bool) -> str:
    """`rotate` the first time, `again` while its answer may have been lost, `late` after that, `reused` for a copy."""
    if link.retired or not same_key:
        return REUSED
    if link.used_at is None:
        return ROTATE
    return AGAIN if link.at - link.used_at <= GRACE else LATE
