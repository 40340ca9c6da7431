"""What a consent cannot say, each with the reason, before anybody signs it.

Forms are refused here, not at the gate alone: whoever signs must not be led to believe that something will be told, or
kept, which the law or this clinic does otherwise.
"""

from datetime import datetime

from api import errors
from api.access.partners import Partner
from api.privacy.forms import Draft

OF_JUSTICE = frozenset(("attendance", "progress"))


class CounselingNotesApart(errors.Unprocessable):
    """42 CFR 2.31(b)."""

    title = "Counseling notes need a consent of their own"
    detail = "The law keeps counseling notes apart: no other consent can include them, and sharing them is not offered."
    title_es = "Las notas de consejería requieren un consentimiento propio"
    detail_es = "La ley separa las notas de consejería: ningún otro consentimiento puede incluirlas, y no se ofrece"
    detail_es += " compartirlas."


class LegalProceedingsApart(errors.Unprocessable):
    """42 CFR 2.31(d)."""

    title = "Legal proceedings need a consent of their own"
    detail = "The law keeps consents for legal proceedings apart from all others, and they are not offered here."
    title_es = "Los procesos judiciales requieren un consentimiento propio"
    detail_es = "La ley separa los consentimientos para procesos judiciales de todos los demás, y aquí no se ofrecen."


class AnswersStayHere(errors.Unprocessable):
    title = "Check-in answers are not shared"
    detail = "Answers and scores of check-ins are never shared with a partner, so no consent can include them."
    title_es = "Las respuestas de los cuestionarios no se comparten"
    detail_es = "Las respuestas y puntajes nunca se comparten con un socio, así que ningún consentimiento los incluye."


class UnknownRecipient(errors.Unprocessable):
    title = "That recipient is not registered"
    detail = "Information can be shared only with a partner that the clinic has registered and that is active."
    title_es = "Ese destinatario no está registrado"
    detail_es = "Solo se puede compartir información con un socio registrado por la clínica y activo."


class NotForTheClass(errors.Unprocessable):
    """A class of recipients is those with a treating relationship (42 CFR 2.31(a)(4))."""

    title = "Only those who treat you can be named together"
    detail = "Naming all treating providers together is possible only for treatment. Please name anybody else by name."
    title_es = "Solo se puede nombrar juntos a quienes le atienden"
    detail_es = "Nombrar juntos a todos los proveedores tratantes solo es posible para el tratamiento. A los demás,"
    detail_es += " nómbrelos uno por uno."


class NotATreatingProvider(errors.Unprocessable):
    title = "That partner does not treat patients"
    detail = "The clinic has not registered this partner as a treating provider. It can be told at your request."
    title_es = "Ese socio no atiende pacientes"
    detail_es = "La clínica no tiene registrado a este socio como proveedor tratante. Se le puede informar a petición"
    detail_es += " suya."


class NotOfCriminalJustice(errors.Unprocessable):
    """42 CFR 2.35(a)."""

    title = "These terms are for courts and supervision only"
    detail = "Terms for a legal matter are possible only with a partner of the criminal justice system, for the matter"
    detail += " of which treatment is a condition."
    title_es = "Estas condiciones son solo para tribunales y supervisión"
    detail_es = (
        "Las condiciones para un asunto legal solo son posibles con un socio del sistema de justicia penal, para"
    )
    detail_es += " el asunto que exige el tratamiento."


class MatterNotNamed(errors.Unprocessable):
    title = "The matter is not named"
    detail = "Terms for a legal matter must name the matter of which treatment is a condition."
    title_es = "Falta nombrar el asunto"
    detail_es = "Las condiciones para un asunto legal deben nombrar el asunto que exige el tratamiento."


class MoreThanTheMatterNeeds(errors.Unprocessable):
    title = "Only attendance and progress"
    detail = "In a legal matter, only attendance and progress can be shared."
    title_es = "Solo asistencia y avance"
    detail_es = "En un asunto legal solo se pueden compartir la asistencia y el avance."


class ForALegalMatterOnly(errors.Unprocessable):
    """A usual consent can be taken back at any time (42 CFR 2.31(a)(6))."""

    title = "That belongs to terms for a legal matter"
    detail = "A matter, its final disposition and a time before which a consent holds belong to terms for a legal"
    detail += " matter. Any other consent can be taken back at any time."
    title_es = "Eso corresponde a las condiciones para un asunto legal"
    detail_es = (
        "El asunto, su resolución definitiva y un plazo sin retiro corresponden a las condiciones para un asunto"
    )
    detail_es += " legal. Cualquier otro consentimiento se puede retirar en cualquier momento."


class AlreadyOver(errors.Unprocessable):
    title = "That day is over"
    detail = "A consent must hold for at least a day from now, and cannot bind longer than it holds."
    title_es = "Ese día ya pasó"
    detail_es = "Un consentimiento debe valer al menos un día desde ahora, y no puede obligar más tiempo del que vale."


REFUSALS = (
    *(CounselingNotesApart, LegalProceedingsApart, AnswersStayHere, UnknownRecipient, NotForTheClass),
    *(NotATreatingProvider, NotOfCriminalJustice, MatterNotNamed, MoreThanTheMatterNeeds, ForALegalMatterOnly),
    AlreadyOver,
)


def refuse_unfit(draft: Draft, recipient: Partner | None, *, at: datetime) -> None:
    """Raises one of `REFUSALS` for what no consent can say.

    `recipient` is the active partner that the draft names, None where there is none or it names a class.
    """
    _refuse_kept_apart(draft)
    if draft.recipient_id and recipient is None:
        raise UnknownRecipient
    if draft.terms == "criminal_justice":
        _refuse_beyond_matter(draft, recipient)
    else:
        _refuse_unusual(draft, recipient)
    _refuse_over(draft, at)


def _refuse_kept_apart(draft: Draft) -> None:
    if "counseling_notes" in draft.categories:
        raise CounselingNotesApart
    if "check_in_answers" in draft.categories:
        raise AnswersStayHere
    if draft.purpose == "legal_proceedings":
        raise LegalProceedingsApart


def _refuse_beyond_matter(draft: Draft, recipient: Partner | None) -> None:
    if recipient is None or recipient.kind != "criminal_justice" or draft.purpose != "criminal_justice":
        raise NotOfCriminalJustice
    if not draft.matter:
        raise MatterNotNamed
    if not OF_JUSTICE.issuperset(draft.categories):
        raise MoreThanTheMatterNeeds


def _refuse_unusual(draft: Draft, recipient: Partner | None) -> None:
    if draft.purpose == "criminal_justice":
        raise NotOfCriminalJustice
    if draft.matter or draft.revocable != "any_time" or draft.expires_on_event == "final_disposition":
        raise ForALegalMatterOnly
    if draft.recipient_class and draft.purpose != "treatment":
        raise NotForTheClass
    if recipient and draft.purpose == "treatment" and recipient.kind != "treating_provider":
        raise NotATreatingProvider


def _refuse_over(draft: Draft, at: datetime) -> None:
    if draft.expires_at and draft.expires_at <= at:
        raise AlreadyOver
    if draft.expires_at and draft.revocable_at and draft.revocable_at > draft.expires_at:
        raise AlreadyOver
