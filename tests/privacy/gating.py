"""How these tests sign consents, and ask the gate as a partner's request, the clinic or a worker would."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy as sa

from api import db, vocabulary
from api.privacy import gate
from tests.conftest import add_client

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2027, 11, 24, 12, tzinfo=UTC)
OUTCOME = {"referral_outcome": "admitted"}
SIGNED: Mapping[str, Any] = {
    "patient_name": "Sam Rivers",
    "discloser": "Trinity Wellness Group",
    "recipient_client_id": None,
    "recipient_class": None,
    "purpose": "treatment",
    "terms": "usual",
    "revocable": "any_time",
    "expires_at": LATER,
    "form_version": "1",
    "language": "en",
    "text": "I let the clinic tell.",
    "text_hash": hashlib.sha256(b"I let the clinic tell.").digest(),
    "signer": "patient",
    "signer_name": "Sam Rivers",
    "signed_how": "app",
    "signed_at": BEFORE,
    "created_at": BEFORE,
    "version": 2,
}
COURT = {
    "purpose": "criminal_justice",
    "terms": "criminal_justice",
    "matter": "2026-CR-114",
    "revocable": "from_final_disposition",
    "expires_on_event": "final_disposition",
}


@dataclass
class Files:
    """Consents and restrictions, put there past every policy: what the gate makes of them is what is tested."""

    superuser: psycopg.Connection[Any]
    asked: list[str] = field(default_factory=list)

    def partner(self, name: str = "Harbor Detox", *, kind: str = "treating_provider") -> uuid.UUID:
        return add_client(
            self.superuser, kind="partner", name=name, scopes=vocabulary.PARTNER_SCOPES, partner_kind=kind
        )

    def sign(
        self,
        patient_id: uuid.UUID,
        partner: uuid.UUID | None,
        *categories: str,
        name: str = "Harbor Detox",
        **more: Any,
    ) -> uuid.UUID:
        """A consent of the patient's for the partner, or for the class of those who treat them."""
        whom = {"recipient_client_id": partner, "recipient_class": None if partner else "treating_providers"}
        told = list(categories or ("referral_outcome",))
        return self._put("consents", {**SIGNED, **whom, "recipient_name": name, "categories": told, **more}, patient_id)

    def restrict(self, patient_id: uuid.UUID, *categories: str, status: str = "agreed", **more: Any) -> uuid.UUID:
        answer = {"answered_at": BEFORE, "answered_by": "u-17"} if status != "requested" else {}
        ended = {"ended_at": BEFORE} if status == "ended" else {}
        told = {"categories": list(categories) or None, "status": status, "asked_at": BEFORE, "version": 2}
        return self._put("restrictions", {**told, **answer, **ended, **more}, patient_id)

    def set(self, table: str, row_id: uuid.UUID, **values: Any) -> None:
        told = ", ".join(f"{name} = %s" for name in values)
        self.superuser.execute(f"UPDATE {table} SET {told} WHERE id = %s", [*values.values(), row_id])

    def ledger(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.superuser.execute(f"SELECT {', '.join(columns)} FROM disclosures ORDER BY id").fetchall()

    def _put(self, table: str, values: Mapping[str, Any], patient_id: uuid.UUID) -> uuid.UUID:
        row = {"id": db.uuid7(), "patient_id": patient_id, **values}
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        self.superuser.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(row.values()))
        return row["id"]


def held(patient_id: uuid.UUID | None, tells: Mapping[str, Any] = OUTCOME) -> gate.Held:
    """Something held about a person, that tells what is in `tells`."""
    return gate.Held(db.uuid7(), patient_id, {name: lambda told=told: told for name, told in tells.items()})


def as_partner(client_id: uuid.UUID) -> db.Caller:
    return db.Caller(kind="partner", client_id=client_id)


def asked(
    client_id: uuid.UUID, *subjects: gate.Held, caller: db.Caller | None = None, at: datetime = NOON
) -> dict[uuid.UUID, gate.Release]:
    """What the gate releases in a transaction of its own."""
    with db.transaction(caller or as_partner(client_id)):
        return gate.release(gate.Recipient(client_id), held=lambda: subjects, at=at)


def facts(client_id: uuid.UUID, patient_id: uuid.UUID | None, tells: Mapping[str, Any] = OUTCOME, **more: Any) -> Any:
    """What the partner learns of one subject; None where nothing is released."""
    subject = held(patient_id, tells)
    found = asked(client_id, subject, **more).get(subject.subject_id)
    return None if found is None else dict(found.facts)


def role() -> str:
    found: str = db.session().scalar(sa.text("SELECT current_setting('role')"))
    return found


Reads = Callable[[], Sequence[gate.Held]]
