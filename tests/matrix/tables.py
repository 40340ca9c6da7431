"""Every table with rows of somebody's, kept by hand: whose a row is, how to make one, and what each kind of caller may.

`own` names the column that says whose a row is (the second of two, where it is a client's); `values` are those that a
row needs beyond what its column types tell. Patients and partners reach their own rows, the clinic and
the worker all, and a holder the one whose hash it presents.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

READ, ADD, CHANGE, REMOVE = VERBS = ("read", "add", "change", "remove")
PATIENTS, CLIENTS = ("sam", "robin"), ("north", "south")
EVERYBODY = (*PATIENTS, *CLIENTS)


@dataclass(frozen=True)
class Table:
    """What each kind of caller may, in words of `VERBS`. `of`: whose rows there are. `held_by`: the columns of which a
    holder presents one. `gate`: what it may with rows of the one pair of patient and partner that it is entered for,
    `gate_of_all` with everybody's."""

    own: tuple[str, ...] = ("patient_id",)
    of: tuple[str, ...] = PATIENTS
    values: Mapping[str, Any] | None = None
    held_by: tuple[str, ...] = ()
    patient: str = ""
    clinic: str = ""
    partner: str = ""
    worker: str = ""
    holder: str = ""
    gate: str = ""
    gate_of_all: str = ""


def session_of(owner: uuid.UUID) -> uuid.UUID:
    """The care session in which `owner` has a place."""
    return uuid.UUID(bytes=hashlib.sha256(owner.bytes).digest()[:16])


# Values that depend on whose row it is.
OF_OWNER: dict[str, Callable[[uuid.UUID], Any]] = {
    "the owner": lambda owner: owner,
    "their session": session_of,
}
NOON, EVENING, LATER = "2026-11-24T12:00:00Z", "2026-11-24T20:00:00Z", "2126-11-24T12:00:00Z"
CARE = {"kind": "group", "modality": "in_person", "time_zone": "America/New_York"}
PLACE = {"session_id": "their session"}
MADE_BY_PATIENT = "read add"

TABLES: dict[str, Table] = {
    # The record and who it is of
    "patients": Table(
        own=("id",), patient="read change", clinic="read add change", worker="read", gate_of_all="read"
    ),
    "patient_versions": Table(patient="read change", clinic="read add change", worker="read change"),
    "audit_events": Table(
        own=("patient_id", "client_id"), of=EVERYBODY,
        patient="add", clinic="read add", partner="add", worker="read add",
    ),
    "idempotency_records": Table(
        own=("principal",), of=EVERYBODY, held_by=("key_hash",),
        patient=MADE_BY_PATIENT, clinic="read add", partner="read add", worker="read remove", holder="read add",
    ),
    # Signing in
    "app_sessions": Table(
        values={"expires_at": LATER}, patient="read add change", clinic="read change", worker="read change remove",
    ),
    "refresh_tokens": Table(
        values={"app_session_id": "their session"}, held_by=("hash",),
        patient="read add change", worker="read remove", holder="read",
    ),
    "activation_codes": Table(
        values={"handed_over": "in_person"}, held_by=("selector_hash", "link_hash"),
        patient="read change", clinic="read add change", worker="read remove", holder="read change",
    ),
    "sign_in_accounts": Table(held_by=("name_index", "user_handle"), patient="read add change", holder="read"),
    "passkeys": Table(held_by=("credential_id",), patient="read add change remove", holder="read"),
    "passkey_offers": Table(patient="read add remove", worker="read remove"),
    "sign_ins": Table(
        held_by=("session_hash", "code_hash"),
        patient="read change", worker="read remove", holder="read add change",
    ),
    "api_clients": Table(
        own=("id",), of=CLIENTS, values={"kind": "partner", "partner_kind": "other"}, held_by=("id",),
        clinic="read", partner="read", worker="read", holder="read",
    ),
    "client_keys": Table(own=("client_id",), of=CLIENTS, held_by=("client_id",), holder="read"),
    "revoked_tokens": Table(
        own=("client_id",), of=CLIENTS, clinic="read add", partner="read add", worker="read remove"
    ),
    "refusal_counts": Table(own=("principal",), worker="read remove"),
    # Care
    "enrollments": Table(
        values={"focus": ["substance_use"], "program_slug": "iop"},
        patient="read", clinic="read add change", worker="read", gate="read",
    ),
    "enrollment_events": Table(
        values={"kind": "started", "enrollment_id": "their session"},
        patient="read", clinic="read add", worker="read", gate="read",
    ),
    "session_series": Table(
        own=("id",), values={**CARE, "duration_minutes": 60}, clinic="read add change", worker="read change"
    ),
    "series_members": Table(
        values={"series_id": "the owner"}, clinic="read add change", worker="read add change"
    ),
    "care_sessions": Table(
        own=("id",), values={**CARE, "id": "their session", "status": "scheduled", "ends_at": EVENING},
        patient="read", clinic="read add change", worker="read add change", gate="read",
    ),
    "attendances": Table(
        values={**PLACE, "status": "booked"},
        patient="read change", clinic="read add change", worker="read add change", gate="read",
    ),
    "session_replies": Table(values={**PLACE, "reply": "attending"}, patient=MADE_BY_PATIENT, clinic="read"),
    "session_arrivals": Table(values={**PLACE, "placement": "in_window"}, patient=MADE_BY_PATIENT, clinic="read"),
    "calendar_feeds": Table(values={"titles": "neutral"}, patient="read add remove"),
    "attendance_marks": Table(values={**PLACE, "mark": "absent"}, clinic="read add"),
    # What is said, and what is asked
    "reminders": Table(
        values={**PLACE, "subject": "session", "kind": "appointment", "lead": "hours_24", "state": "planned"},
        patient="read add change", clinic="read add change", worker="read add change",
    ),
    "reminder_states": Table(
        values={"reminder_id": "their session"}, patient=MADE_BY_PATIENT, clinic="read add", worker="read add"
    ),
    "reminder_receipts": Table(
        values={"reminder_id": "their session", "event": "opened"},
        patient=MADE_BY_PATIENT, clinic="read", worker="read add",
    ),
    "devices": Table(
        values={"provider": "apns", "environment": "production"}, patient="read remove", worker="read remove"
    ),
    "reminder_preferences": Table(patient="read add change", clinic="read", worker="read"),
    "check_ins": Table(patient=MADE_BY_PATIENT, clinic="read change", worker="read"),
    "check_in_switches": Table(patient="read", clinic="read add change", worker="read"),
    # Where words go, and what came back
    "text_numbers": Table(
        values={"set_by": "patient"}, held_by=("number_index",),
        patient="read add change remove", clinic="read add remove", worker="read change", holder="read",
    ),
    "text_consents": Table(
        values={"given_by": "app"}, patient="read add change", clinic="read change", worker="read change"
    ),
    "mail_addresses": Table(
        values={"set_by": "patient"}, held_by=("unsubscribe_hash",),
        patient="read add change remove", clinic="read add remove", worker="read change", holder="read",
    ),
    "contact_codes": Table(values={"channel": "sms"}, patient="read add change", worker="read remove"),
    "texts_sent": Table(values={"kind": "ordinary"}, patient="read", worker="read add remove"),
    "inbound_texts": Table(own=("id",), held_by=("number_index",), worker="read remove", holder="read add"),
    "deliveries": Table(
        values={"channel": "push", "provider": "fcm", "verdict": "accepted"},
        clinic="read", worker="read add change remove",
    ),
    # What may be told outside
    "consents": Table(
        values={
            "recipient_class": "treating_providers", "categories": ["presence"], "purpose": "treatment",
            "terms": "usual", "revocable": "any_time", "expires_on_event": "end_of_treatment",
            "signed_how": "app", "signer": "patient",
        },
        patient="read add change", clinic="read add change", gate_of_all="read",
    ),
    "restrictions": Table(patient="read add change", clinic="read add change", gate_of_all="read"),
    "disclosures": Table(
        values={
            "recipient_client_id": "their session", "categories": ["presence"], "purpose": "treatment",
            "basis": "consent", "consent_id": "the owner", "notice_version": "2024",
        },
        patient="read", clinic="read add", gate="add",
    ),
    "notice_acknowledgements": Table(patient=MADE_BY_PATIENT, clinic="read"),
    # Staff
    "alerts": Table(patient="read add change", clinic="read change", worker="read change"),
    "alert_hits": Table(values={"alert_id": "their session"}, patient=MADE_BY_PATIENT, clinic="read"),
    "alert_notices": Table(
        values={"alert_id": "their session", "outcome": "accepted"}, clinic="read", worker="read add"
    ),
    "tasks": Table(
        values={"cause": "outreach"},
        patient="read add change", clinic="read add change", worker="read add change",
    ),
    # Who is sent here: what a partner sent is its own, what the clinic makes of it is not its
    "referrals": Table(
        own=("client_id",), of=CLIENTS,
        values={"origin": "partner", "contact_preference": "may_contact"},
        clinic="read", partner="read add change", worker="read change remove", gate="read",
    ),
    "referral_documents": Table(
        own=("client_id",), of=CLIENTS, values={"referral_id": "their session"}, clinic="read", partner="read add"
    ),
    "referral_triage": Table(
        values={"referral_id": "their session"}, clinic="read change", worker="read change", gate_of_all="read",
    ),
    "referral_events": Table(
        own=("referral_id",), values={"act": "moved", "actor_kind": "clinic"},
        clinic="read add", worker="read add", gate_of_all="read",
    ),
    # Webhooks
    "webhook_endpoints": Table(
        own=("client_id",), of=CLIENTS, partner="read add change remove", worker="read change"
    ),
    "webhook_events": Table(own=("client_id",), of=CLIENTS, partner="read", worker="read remove"),
    "webhook_deliveries": Table(
        own=("client_id",), of=CLIENTS, values={"endpoint_id": "their session", "event_id": "their session"},
        partner="read change", worker="read change remove",
    ),
}  # fmt: skip
