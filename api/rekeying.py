"""`rekey`: seal every registered column anew under the first key, while everything else goes on.

The database's owner does it, so that no role of the running processes may rewrite what is sealed. Rows are locked a
batch at a time and in order; whoever reads one in between finds the old or the new, and both open. What a process
that does not have the new keys yet has sealed meanwhile is found by running it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import config, db, errors, safekeeping
from api.safekeeping import Place

BATCH = 50
FIRST = UUID(int=0)


class OutOfReach(config.Misconfigured):
    """What was sealed anew until then stays so."""

    def __init__(self) -> None:
        super().__init__("The database is out of reach, or does not know the login of DATABASE_OWNER_URL.")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one place: how many values were sealed anew, and how many could not be opened."""

    place: str
    anew: int
    unopened: int


def run(owner_url: str) -> Iterator[Report]:
    """A report for each place, by name; each batch is committed by itself. Raises `OutOfReach`."""
    with db.opened_by_owner(owner_url):
        for name in sorted(safekeeping.places):
            try:
                yield _rekey(safekeeping.places[name])
            except errors.Unavailable:
                raise OutOfReach from None


def _rekey(place: Place) -> Report:
    after, anew, unopened = FIRST, 0, 0
    while True:
        with db.transaction(db.OWNER):
            rows = db.session().execute(_stale(place, after)).all()
            sealed = [_anew(place, row.row, bytes(row.sealed)) for row in rows]
        anew, unopened = anew + sealed.count(True), unopened + sealed.count(False)
        if len(rows) < BATCH:
            return Report(place.name, anew, unopened)
        after = rows[-1].row


def _stale(place: Place, after: UUID) -> sa.Select[Any]:
    """The next rows that the first key did not seal."""
    mark = safekeeping.first().mark
    begins = sa.func.substr(place.sealed, 1, len(mark), type_=sa.LargeBinary)
    found = sa.select(place.row.label("row"), place.sealed.label("sealed")).where(place.row > after, begins != mark)
    return found.order_by(place.row).limit(BATCH).with_for_update()


def _anew(place: Place, row: UUID, sealed: bytes) -> bool:
    """Whether it could be opened, and so was sealed anew."""
    try:
        plain = safekeeping.unseal(sealed, place=place.name, row=row)
    except safekeeping.Unopened:
        return False
    fresh = {place.sealed: safekeeping.seal(plain, place=place.name, row=row)}
    db.session().execute(sa.update(place.sealed.class_).where(place.row == row).values(fresh))
    return True
