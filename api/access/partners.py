"""The partners whom a patient may name and the clinic knows: what each is called, and what it was verified to be.

Read through a view that leaves out keys, scopes and the clinic's own systems: a patient sees those that are active,
the clinic, the workers and the disclosure gate all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors

_PARTNERS = sa.table(
    "partners",
    sa.column("id", sa.Uuid),
    sa.column("name", sa.Text),
    sa.column("kind", sa.Text),
    sa.column("status", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner by its client's id. `kind` is one of `vocabulary.PARTNER_KINDS`, `status` active or suspended."""

    id: UUID
    name: str
    kind: str
    status: str

    @property
    def active(self) -> bool:
        return self.status == "active"


def listed() -> Sequence[Partner]:
    """The partners that the running caller may know of, by name."""
    return _partners(sa.select(_PARTNERS).order_by(_PARTNERS.c.name))


def one(client_id: UUID) -> Partner:
    """Raises `errors.NotFound`, where a patient asks also of one that is suspended."""
    if not (found := _partners(sa.select(_PARTNERS).where(_PARTNERS.c.id == client_id))):
        raise errors.NotFound
    return found[0]


def _partners(statement: sa.Select[Any]) -> list[Partner]:
    return [Partner(row.id, row.name, row.kind, row.status) for row in db.session().execute(statement)]
