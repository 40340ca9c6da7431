"""Which consents count for a recipient at an instant, and for what: one statement, whether or not there are any.

What the statement can judge it judges; names are compared here, because a name counts as the one that was signed for
whatever its case and punctuation. Restrictions that the clinic agreed to take categories away (42 CFR 2.26).
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api.prepared import Prepared
from api.privacy import waiting

# What courts and those who supervise for them may learn under terms of §2.35.
OF_CRIMINAL_JUSTICE = frozenset(("attendance", "progress"))


@dataclass(frozen=True, slots=True)
class Permission:
    """A consent that counts, with the categories that it releases now. `recipient_name` is the partner's as registered;
    `signed_for` the name or class that the patient signed for."""

    consent_id: UUID
    patient_id: UUID
    categories: frozenset[str]
    purpose: str
    terms: str
    recipient_name: str
    signed_for: str
    signed_at: datetime
    expires_at: datetime | None
    expires_on_event: str | None


def permissions(*, client_id: UUID, patient_ids: Iterable[UUID], at: datetime) -> dict[UUID, list[Permission]]:
    """By patient, those that count for the partner: those that name it before those for a class, newer ones first."""
    found: dict[UUID, list[Permission]] = {}
    waits = waiting.longest()
    for row in _EFFECTIVE.run(client_id=client_id, patient_ids=list(patient_ids), at=at, waits=waits):
        if categories := _released(row):
            found.setdefault(row.patient_id, []).append(_permission(row, categories))
    return found


def normalised(name: str) -> str:
    """The letters and digits of a name, without case and accents' ways of being written."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(one if one.isalnum() else " " for one in folded).split())


def _released(row: Any) -> frozenset[str]:
    """The categories that the row's consent releases; none where it was signed for another name."""
    if row.recipient_class is None and normalised(row.signed_for) != normalised(row.recipient_name):
        return frozenset()
    categories = frozenset(row.categories)
    if row.terms == "criminal_justice":
        categories &= OF_CRIMINAL_JUSTICE
    return categories - _restricted(row.restricted, categories)


def _restricted(restrictions: Sequence[Mapping[str, Any]], categories: frozenset[str]) -> frozenset[str]:
    """What restrictions take away; one without categories is about all of them."""
    taken = (categories if one["categories"] is None else frozenset(one["categories"]) for one in restrictions)
    return frozenset().union(*taken)


def _permission(row: Any, categories: frozenset[str]) -> Permission:
    return Permission(
        consent_id=row.id,
        patient_id=row.patient_id,
        categories=categories,
        purpose=row.purpose,
        terms=row.terms,
        recipient_name=row.recipient_name,
        signed_for=row.signed_for,
        signed_at=row.signed_at,
        expires_at=row.expires_at,
        expires_on_event=row.expires_on_event,
    )


# A suspended partner has none; nor has a record that was merged into another, or of somebody who has died (§2.15(b):
# then somebody else consents, on paper). What a partner reads for follows from what it was verified to be: what was
# signed for treatment is not for one that treats nobody; "at the request of the patient" (§2.31(a)(5)) is for anybody.
# OFFSET 0 keeps the views asked about the consents that were found, rather than joined with everybody's.
_EFFECTIVE = Prepared("""
    SELECT c.id, c.patient_id, c.categories, c.purpose, c.terms, c.recipient_class, c.recipient_name AS signed_for,
        p.name AS recipient_name, c.signed_at, c.expires_at, c.expires_on_event,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('categories', r.categories)), '[]') FROM restrictions AS r
         WHERE r.patient_id = c.patient_id AND r.status = 'agreed'
           AND (r.recipient_client_id IS NULL OR r.recipient_client_id = p.id)) AS restricted
    FROM partners AS p
    JOIN consents AS c ON c.recipient_client_id = p.id
        OR (c.recipient_class = 'treating_providers' AND p.kind = 'treating_provider')
    JOIN patients AS whose ON whose.id = c.patient_id
    WHERE p.id = %(client_id)s AND p.status = 'active'
      AND c.patient_id = ANY(%(patient_ids)s::uuid[]) AND whose.status IN ('active', 'suspended')
      AND c.revoked_at IS NULL AND c.ended_at IS NULL
      AND NOT EXISTS (SELECT FROM treatment_ends AS t WHERE t.consent_id = c.id OFFSET 0)
      AND (c.expires_on_event IS DISTINCT FROM 'end_of_treatment' OR c.expires_at IS NOT NULL
           OR c.signed_at + %(waits)s > %(at)s
           OR EXISTS (SELECT FROM treatment_begins AS b
                      WHERE b.consent_id = c.id AND b.recorded_at <= c.signed_at + %(waits)s OFFSET 0))
      AND c.signed_at <= %(at)s AND (c.expires_at IS NULL OR c.expires_at > %(at)s)
      AND c.purpose IN ('patient_request', CASE p.kind
          WHEN 'treating_provider' THEN 'treatment' WHEN 'criminal_justice' THEN 'criminal_justice' END)
    ORDER BY c.patient_id, c.recipient_client_id IS NULL, c.signed_at DESC, c.id DESC
""")
