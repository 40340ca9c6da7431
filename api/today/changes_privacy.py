"""What the delta sync tells of consents, restrictions, and notices that were seen: rows that stay, whatever becomes of
them. Whether a consent holds at this moment follows from the clock and the treatment too, so it is left out here.
"""

import sqlalchemy as sa

from api import hotjson
from api.hotjson import utc
from api.privacy.models import Consent, NoticeAcknowledgement, Restriction
from api.today.changes_parts import Columns, Kind

SCOPE = "privacy:read"


def _consent(signed: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.word("id", signed.id),
        hotjson.word("recipient_id", signed.recipient_client_id),
        hotjson.word("recipient_class", signed.recipient_class),
        hotjson.text("recipient_name", signed.recipient_name),
        hotjson.value("categories", sa.func.to_json(signed.categories)),
        hotjson.word("purpose", signed.purpose),
        hotjson.word("terms", signed.terms),
        hotjson.text("matter", signed.matter),
        hotjson.word("revocable", signed.revocable),
        hotjson.word("revocable_at", utc(signed.revocable_at)),
        hotjson.word("expires_at", utc(signed.expires_at)),
        hotjson.word("expires_on_event", signed.expires_on_event),
        hotjson.text("form_version", signed.form_version),
        hotjson.text("language", signed.language),
        hotjson.word("text_sha256", _hex(signed.text_hash)),
        hotjson.word("signed_how", signed.signed_how),
        hotjson.word("signer", signed.signer),
        hotjson.text("signer_name", signed.signer_name),
        hotjson.word("signed_at", utc(signed.signed_at)),
        hotjson.word("document_sha256", _hex(signed.document_hash)),
        hotjson.word("revoked_at", utc(signed.revoked_at)),
        hotjson.word("revoked_how", signed.revoked_how),
        hotjson.word("ended_at", utc(signed.ended_at)),
        hotjson.word("ended_reason", signed.ended_reason),
    )


def _restriction(asked: Columns, _: sa.CTE) -> hotjson.Text:
    return hotjson.object_(
        hotjson.word("id", asked.id),
        hotjson.word("status", asked.status),
        hotjson.word("recipient_id", asked.recipient_client_id),
        hotjson.text("recipient_name", asked.recipient_name),
        hotjson.value("categories", sa.func.to_json(asked.categories)),
        hotjson.text("wish", asked.wish),
        hotjson.word("asked_at", utc(asked.asked_at)),
        hotjson.word("answered_at", utc(asked.answered_at)),
        hotjson.text("answer", asked.answer),
        hotjson.word("ended_at", utc(asked.ended_at)),
        hotjson.text("end_reason", asked.end_reason),
        hotjson.word("withdrawn_at", utc(asked.withdrawn_at)),
    )


def _acknowledged(seen: Columns, _: sa.CTE) -> hotjson.Text:
    # `acknowledged_at` is never NULL, as the first member must be.
    return hotjson.object_(
        hotjson.word("acknowledged_at", utc(seen.acknowledged_at)),
        hotjson.text("version", seen.notice_version),
    )


def _hex(hashed: sa.ColumnElement[bytes]) -> sa.ColumnElement[str]:
    return sa.func.encode(hashed, hotjson.quoted("hex"))


def _acknowledgements() -> sa.Subquery:
    """A notice is known by its version, which is no UUID: its id here is the MD5 of that."""
    made = sa.cast(sa.func.md5(NoticeAcknowledgement.notice_version), sa.Uuid).label("id")
    return sa.select(*NoticeAcknowledgement.__table__.c, made).subquery("acknowledgements")


KINDS = (
    Kind(7, "consent", SCOPE, Consent, "id", "patient_id", worth=list, shown=_consent),
    Kind(8, "restriction_request", SCOPE, Restriction, "id", "patient_id", worth=list, shown=_restriction),
    Kind(9, "notice_acknowledgement", SCOPE, _acknowledgements(), "id", "patient_id", worth=list, shown=_acknowledged),
)
