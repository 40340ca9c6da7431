"""Patients' versions: locked once per transaction, in order of id, raised, and stamped on what is written.

Two rounds of locks in one transaction can deadlock with another's two rounds, and a row stamped before its
number is known breaks the delta sync; so a second round with a patient unknown to the first is a defect.
"""

from collections.abc import Iterable
from uuid import UUID

from api import db
from api.prepared import Prepared


class SecondRoundOfLocks(RuntimeError):
    """A handler met a patient whom the transaction had not locked at its start."""


def touch(patient_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Lock and raise the versions of all patients whom this transaction will touch; returns the new numbers.

    Ids that are nobody's, or not the caller's to see, are missing from the answer. Called again with the same
    patients, or some of them, it gives the same numbers.
    """
    session, wanted = db.session(), set(patient_ids)
    touched: dict[UUID, int] | None = session.info.get("versions")
    if touched is None:
        touched = session.info["versions"] = _raise(wanted)
        session.info["asked_versions"] = wanted
    elif not wanted <= session.info["asked_versions"]:
        raise SecondRoundOfLocks
    return {one: touched[one] for one in wanted if one in touched}


def remember(patient_id: UUID, version: int) -> None:
    """What a statement of its own has locked and raised. Raises `SecondRoundOfLocks` after a `touch`."""
    info = db.session().info
    if "versions" in info:
        raise SecondRoundOfLocks
    info["versions"], info["asked_versions"] = {patient_id: version}, {patient_id}


def _raise(patient_ids: set[UUID]) -> dict[UUID, int]:
    return {row.patient_id: row.version for row in _RAISE.run(patient_ids=list(patient_ids))}


# Every write begins with it, so it goes past the session.
_RAISE = Prepared(
    """
    WITH locked AS (
        SELECT patient_id FROM patient_versions WHERE patient_id = ANY(%(patient_ids)s::uuid[])
        ORDER BY patient_id FOR UPDATE
    )
    UPDATE patient_versions SET version = version + 1 FROM locked WHERE patient_versions.patient_id = locked.patient_id
    RETURNING patient_versions.patient_id, version
    """
)
