"""The paper that comes with a referral: usually the clinic's own consent form, signed at the partner.

It opens nothing by having arrived; staff verify it in triage. It is encrypted before it is kept, and known by the hash
that we make. What is sent anew is kept beside what was sent before, and the newest counts.
"""

import hashlib
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, safekeeping
from api.referrals import service, states
from api.referrals.models import ReferralDocument
from api.referrals.visible import Visible

MOST_BYTES = 1_000_000
MOST_DOCUMENTS = 5
# ISO 32000 §7.5.2 and §7.5.5: how a PDF begins, and what stands near its end.
BEGINS, ENDS, END_BYTES = (b"%PDF-1.", b"%PDF-2."), b"%%EOF", 1024
PLACE = safekeeping.register(ReferralDocument.sealed, row=ReferralDocument.id)


class NotAPdf(errors.Unprocessable):
    title = "This is not a PDF"
    detail = "The document must be a whole PDF file, from its first bytes to its end."
    title_es = "Esto no es un PDF"
    detail_es = "El documento debe ser un archivo PDF completo, desde sus primeros bytes hasta el final."


class TooManyDocuments(errors.Conflict):
    title = "Enough documents were sent"
    detail = f"A referral takes {MOST_DOCUMENTS} documents; please call intake about further ones."
    title_es = "Ya se enviaron suficientes documentos"
    detail_es = f"Una derivación admite {MOST_DOCUMENTS} documentos; llame a admisión si hay otros."


def refuse_unfit(content: bytes) -> None:
    """Raises `errors.ContentTooLarge`, `NotAPdf`."""
    if len(content) > MOST_BYTES:
        raise errors.ContentTooLarge
    if not content.startswith(BEGINS) or ENDS not in content[-END_BYTES:]:
        raise NotAPdf


def put(*, client_id: UUID, referral_id: UUID, content: bytes, at: datetime) -> Visible:
    """Keep the newest paper; the same bytes again are once. Raises `errors.NotFound`, `states.StepNotAllowed`,
    `TooManyDocuments` and what `refuse_unfit` does."""
    refuse_unfit(content)
    seen = service.get(client_id=client_id, referral_id=referral_id, locked=True, at=at)
    sha256 = hashlib.sha256(content).digest()
    if seen.referral.document_sha256 == sha256:
        return seen
    service.refuse_unless(seen, seen.standing in states.OPEN)
    with service.refusing(seen):
        if _sent(referral_id) >= MOST_DOCUMENTS:
            raise TooManyDocuments
    document_id = _keep(client_id, referral_id, content, sha256, at)
    known = {"document_id": document_id, "document_sha256": sha256, "document_size": len(content)}
    return service.change(seen, {**known, "document_received_at": at}, at=at)


def opened(document: ReferralDocument) -> bytes:
    """The paper itself, for staff. Raises `safekeeping.Unopened` where it is not what arrived."""
    plain = safekeeping.unseal(document.sealed, place=PLACE, row=document.id)
    if hashlib.sha256(plain).digest() != document.sha256:
        raise safekeeping.Unopened("This is not what arrived.")
    return plain


def _sent(referral_id: UUID) -> int:
    counted = sa.select(sa.func.count()).where(ReferralDocument.referral_id == referral_id)
    return db.session().scalar(counted) or 0


def _keep(client_id: UUID, referral_id: UUID, content: bytes, sha256: bytes, at: datetime) -> UUID:
    """The partner may not read what was sealed, so nothing is given back."""
    document_id = db.uuid7()
    values = {"id": document_id, "referral_id": referral_id, "client_id": client_id, "received_at": at}
    sealed = safekeeping.seal(content, place=PLACE, row=document_id)
    insert = sa.insert(ReferralDocument.__table__).inline()  # type: ignore[arg-type]
    db.session().execute(insert.values(**values, sealed=sealed, sha256=sha256, size=len(content)))
    return document_id
