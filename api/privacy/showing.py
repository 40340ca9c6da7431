"""How consents are shown: what became of each by now, and what was told under it."""

from datetime import datetime
from typing import Any

from api.privacy import revoking, waiting
from api.privacy.models import Consent

SHOWN = (
    *("id", "recipient_class", "recipient_name", "categories", "purpose", "terms", "matter", "revocable"),
    *("revocable_at", "expires_on_event", "expires_at", "form_version", "language", "signed_how", "signer"),
    *("signer_name", "signed_at", "revoked_at", "revoked_how", "ended_at", "ended_reason"),
)
RECORDED = (
    *("patient_id", "patient_name", "recorded_by", "recorded_role", "revocation_taken_by", "revocation_taken_role"),
    *("ended_by", "ended_role"),
)

SAID_BEFORE = {
    "en": "Nothing more is shared under this permission from now on. What was shared before cannot be called back.",
    "es": "A partir de ahora no se comparte nada más con este permiso. Lo ya compartido no se puede recuperar.",
}


def said_before(language: str) -> str:
    """What taking a consent back means for what was told already."""
    return SAID_BEFORE[language]


def state(consent: Consent, *, at: datetime) -> str:
    """One of `vocabulary.CONSENT_STATES`. Whether it counts for a partner is for the gate to say."""
    if consent.revoked_at:
        return "revoked"
    if consent.ended_at or consent.treatment_over:
        return "ended"
    until = consent.expires_at or waited(consent)
    return "expired" if until and until <= at else "effective"


def waited(consent: Consent) -> datetime | None:
    """Until when it waits for a treatment to begin, or waited in vain; None where one began in time, and where its end
    does not depend on that."""
    if consent.expires_on_event != "end_of_treatment" or consent.expires_at:
        return None
    until = consent.signed_at + waiting.longest()
    return None if consent.begun_at and consent.begun_at <= until else until


def consent(found: Consent, *, at: datetime) -> dict[str, Any]:
    """A consent as its patient sees it."""
    effective = state(found, at=at)
    return {name: getattr(found, name) for name in SHOWN} | {
        "recipient_id": found.recipient_client_id,
        "state": effective,
        "revocable_now": effective == "effective" and revoking.revocable(found, at=at),
        "text_sha256": found.text_hash.hex(),
        "document_sha256": found.document_hash and found.document_hash.hex(),
    }


def recorded(found: Consent, *, at: datetime) -> dict[str, Any]:
    """A consent as the clinic sees it, with who took what down."""
    return consent(found, at=at) | {name: getattr(found, name) for name in RECORDED} | {"text": found.text}
