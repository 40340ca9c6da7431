"""The consent form that came with a referral: it opens nothing until staff have looked at it and say what it says.

A partner's word that there is a consent is no consent (42 CFR 2.31). Staff read the paper, compare it with the person
before them, and record it as one signed on paper, with the hash that we made of it when it arrived.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api import db, errors
from api.privacy import consents
from api.privacy.forms import Draft
from api.referrals import admitting, documents, triage
from api.referrals.models import Referral, ReferralDocument


class NoDocument(errors.Conflict):
    title = "No document came with this referral"
    detail = "There is no consent form with this referral that could be verified."
    title_es = "No llegó ningún documento con esta derivación"
    detail_es = "Esta derivación no trae ningún formulario de consentimiento que se pueda verificar."


class AnotherDocument(errors.Conflict):
    title = "Another document has come in"
    detail = "The document that was looked at is not the one that is here now. Please read it again."
    title_es = "Llegó otro documento"
    detail_es = "El documento que se revisó no es el que está aquí ahora. Léalo de nuevo."
    retry = "after_refresh"


class DocumentVerified(errors.Conflict):
    title = "This document is verified already"
    detail = "Somebody has verified this document already; its consent is on record."
    title_es = "Este documento ya está verificado"
    detail_es = "Alguien ya verificó este documento; su consentimiento está registrado."
    retry = "never"


@dataclass(frozen=True, slots=True)
class Paper:
    """What staff read on it: what it allows, on which version of the form, in which language, and who signed when."""

    draft: Draft
    form_version: str
    language: str
    signature: consents.OnPaper


def read(referral_id: UUID) -> bytes:
    """The newest document, opened. Raises `errors.NotFound`."""
    return documents.opened(_newest(referral_id))


def verify(*, referral_id: UUID, paper: Paper, by: str, role: str, at: datetime) -> UUID:
    """Record the consent that the document is; gives the consent's id. The patient must be linked.

    Raises `admitting.NotLinked`, `NoDocument`, `AnotherDocument`, `DocumentVerified`, `triage.DecidedMeanwhile`,
    `errors.NotFound` and what `consents.record` does.
    """
    before = triage.row(referral_id)
    patient_id = admitting.linked(before)
    document_id = _looked_at(referral_id, paper.signature.document_hash)
    if before.document_id == document_id:
        raise DocumentVerified
    consent = consents.record(
        patient_id=patient_id,
        draft=paper.draft,
        language=paper.language,
        form_version=paper.form_version,
        signature=paper.signature,
        at=at,
    )
    verified = {
        "document_id": document_id,
        "document_verified_at": at,
        "document_verified_by": by,
        "document_verified_role": role,
    }
    triage.write(before, "document_verified", verified, by=by, role=role, at=at)
    return consent.id


def _looked_at(referral_id: UUID, looked_at: bytes) -> UUID:
    referral = db.session().get(Referral, referral_id, populate_existing=True)
    if referral is None or referral.document_id is None:
        raise NoDocument
    if referral.document_sha256 != looked_at:
        raise AnotherDocument
    return referral.document_id


def _newest(referral_id: UUID) -> ReferralDocument:
    referral = db.session().get(Referral, referral_id, populate_existing=True)
    found = db.session().get(ReferralDocument, referral.document_id) if referral and referral.document_id else None
    if found is None:
        raise errors.NotFound
    return found
