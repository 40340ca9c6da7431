"""Referrals of a client that is there already, each for what is done with it, found by what the client calls it."""

import hashlib
from uuid import UUID

import psycopg

from api import db, safekeeping
from api.referrals.documents import PLACE
from schemas.consents import HASH

# Where each stands when somebody comes to it, and whether it is a patient's already.
WAITING = {
    "to read": ("received", False),
    "to cancel": ("received", False),
    "to withdraw": ("received", False),
    "to admit": ("accepted", False),
    "to verify": ("accepted", True),
}
REFERRAL = """
    INSERT INTO referrals (id, client_id, origin, own_identifier, given_name, family_name, name_key, born_on,
        contact_preference, phone, language, reason, created_at, changed_at)
    VALUES (%(id)s, %(client)s, 'partner', %(called)s, 'Avery', 'Example', 'averyexample', '1990-01-01',
        'may_contact', '+12125550143', 'en', 'Asks for evening groups.', now(), now())"""
TRIAGE = """
    UPDATE referral_triage SET state = %(state)s, sub_status = NULL, patient_id = %(patient)s
    WHERE referral_id = %(id)s"""
DOCUMENT = """
    INSERT INTO referral_documents (id, referral_id, client_id, sealed, sha256, size, received_at)
    VALUES (%(document)s, %(id)s, %(client)s, %(sealed)s, %(sha256)s, %(size)s, now())"""
NEWEST = """
    UPDATE referrals SET document_id = %(document)s, document_sha256 = %(sha256)s, document_size = %(size)s,
        document_received_at = now() WHERE id = %(id)s"""
PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def furnish(superuser: psycopg.Connection[tuple[object, ...]], client_id: UUID | str, patient_id: UUID | None) -> None:
    """One referral for each of `WAITING`; those to read and to verify have a document."""
    for called, (state, linked) in WAITING.items():
        known = {"id": db.uuid7(), "client": client_id, "called": called, "state": state}
        known["patient"] = patient_id if linked else None
        superuser.execute(REFERRAL, known)
        superuser.execute(TRIAGE, known)
        if called in ("to read", "to verify"):
            _document(superuser, known, sha256=hash_of(called))


def find(called: str) -> str:
    """The statement that gives its id."""
    return f"SELECT id FROM referrals WHERE own_identifier = '{called}'"


def hash_of(called: str) -> bytes:
    """That of the document; of the one to verify, what the contract's example says that staff looked at."""
    return bytes.fromhex(HASH) if called == "to verify" else hashlib.sha256(PDF).digest()


def _document(superuser: psycopg.Connection[tuple[object, ...]], known: dict[str, object], *, sha256: bytes) -> None:
    document_id = db.uuid7()
    sealed = safekeeping.seal(PDF, place=PLACE, row=document_id)
    given = {**known, "document": document_id, "sealed": sealed, "sha256": sha256, "size": len(PDF)}
    superuser.execute(DOCUMENT, given)
    superuser.execute(NEWEST, given)
