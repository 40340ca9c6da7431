"""The words of the privacy notice, by version and language (42 CFR 2.22).

A patient acknowledges a version, so a version is never edited: other words are another version. The header is the one
that the rule prescribes; the rest says in plain words what the rule lists: what may be used and told, the patient's
rights, the clinic's duties, complaints, whom to ask. What of it holds for this clinic is for its counsel to confirm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class NoticeText:
    """One version in one language. Names in braces are filled in: the clinic's `name`, `contact`, and the `day`."""

    title: str
    header: str
    sections: tuple[tuple[str, str], ...]


_EN = NoticeText(
    title="Notice of Privacy Practices of {name}",
    header="This notice describes: how health information about you may be used and disclosed; your rights with respect"
    " to your health information; how to file a complaint concerning a violation of the privacy or security of your"
    " health information, or of your rights concerning your information. You have a right to a copy of this notice (in"
    " paper or electronic form) and to discuss it with {contact} if you have any questions.",
    sections=(
        (
            "What is protected",
            "Federal law (42 CFR part 2) protects records of treatment for substance use, and the mere fact that you"
            " are or were in treatment. We do not say whether you are a patient here unless you have allowed it in"
            " writing or the law permits it.",
        ),
        (
            "With your written consent",
            "We share information with those whom you name, for the purpose and the time that you name. You may give a"
            " single consent for all future uses for treatment, payment and health care operations. Counseling notes"
            " need a consent of their own. Those who receive records for treatment, payment or health care operations"
            " may share them further as the HIPAA rules allow, but not in proceedings against you.",
        ),
        (
            "Without your consent",
            "We may share information in a medical emergency; for research, audits and evaluations under strict rules;"
            " about a crime here or against our staff; to report suspected child abuse or neglect as state law"
            " demands; with companies that work for us and are bound to secrecy; by a court's order after you had the"
            " chance to be heard, together with a subpoena; and with public health authorities only without anything"
            " that says who you are.",
        ),
        (
            "Legal proceedings",
            "Your records, and testimony about them, cannot be used or shared in civil, criminal, administrative or"
            " legislative proceedings against you unless you consent for that, or a court orders it after notice and an"
            " opportunity to be heard.",
        ),
        (
            "Taking a consent back",
            "You can take a consent back in writing, in the app or by letter. We also accept your word by phone or in"
            " person. It counts at once, except as far as somebody has relied on it already. For a consent in a legal"
            " matter, the form says from when it can be taken back.",
        ),
        (
            "Your rights",
            "You have the right to ask us not to share something, even for treatment, payment or operations; we need"
            " not agree, unless you paid for the service yourself in full and ask us not to tell your health plan; to"
            " see with whom we shared your records with your consent in the past three years; to a list from an"
            " intermediary of those it passed your records to; to get this notice on paper or electronically and to"
            " discuss it; and to choose not to be contacted for fundraising.",
        ),
        (
            "Our duties",
            "The law requires us to keep your records private, to give you this notice of our duties and practices, to"
            " follow the notice in effect, and to tell you if your unsecured records are breached. We may change this"
            " notice; the new one then holds for all records that we keep, and you find it here and in the app.",
        ),
        (
            "Complaints",
            "If you believe that your rights were violated you can complain to us at {contact}, and to the Secretary"
            " of Health and Human Services, Office for Civil Rights. We will not retaliate against you for it.",
        ),
        ("From when it holds", "This notice is effective from {day}."),
    ),
)
_ES = NoticeText(
    title="Aviso de prácticas de privacidad de {name}",
    header="Este aviso describe: cómo se puede usar y divulgar la información sobre su salud; sus derechos respecto de"
    " su información de salud; cómo presentar una queja por una violación de la privacidad o seguridad de su"
    " información de salud, o de sus derechos sobre su información. Usted tiene derecho a una copia de este aviso (en"
    " papel o en formato electrónico) y a conversarlo con {contact} si tiene preguntas.",
    sections=(
        (
            "Qué está protegido",
            "La ley federal (42 CFR parte 2) protege los expedientes de tratamiento por consumo de sustancias, y el"
            " solo hecho de que usted esté o haya estado en tratamiento. No decimos si usted es paciente aquí, salvo"
            " que lo haya permitido por escrito o que la ley lo permita.",
        ),
        (
            "Con su consentimiento por escrito",
            "Compartimos información con quienes usted nombra, para el fin y el tiempo que usted indica. Puede dar un"
            " solo consentimiento para todos los usos futuros para tratamiento, pago y operaciones de atención médica."
            " Las notas de consejería requieren un consentimiento propio. Quienes reciben expedientes para esos fines"
            " pueden compartirlos a su vez según permitan las reglas de HIPAA, pero no en procesos contra usted.",
        ),
        (
            "Sin su consentimiento",
            "Podemos compartir información en una emergencia médica; para investigación, auditorías y evaluaciones bajo"
            " reglas estrictas; sobre un delito cometido aquí o contra nuestro personal; para denunciar sospechas de"
            " maltrato o negligencia infantil como exija la ley estatal; con empresas que trabajan para nosotros y"
            " están obligadas al secreto; por orden judicial, después de que usted haya podido ser oído, junto con una"
            " citación; y con autoridades de salud pública solo sin nada que diga quién es usted.",
        ),
        (
            "Procesos judiciales",
            "Sus expedientes, y los testimonios sobre ellos, no se pueden usar ni compartir en procesos civiles,"
            " penales, administrativos o legislativos contra usted, salvo que usted consienta para ello o que un"
            " tribunal lo ordene tras avisarle y darle la oportunidad de ser oído.",
        ),
        (
            "Retirar un consentimiento",
            "Puede retirar un consentimiento por escrito, en la aplicación o por carta. También aceptamos su palabra"
            " por teléfono o en persona. Vale de inmediato, salvo en la medida en que alguien ya haya confiado en él."
            " En un asunto legal, el formulario dice desde cuándo se puede retirar.",
        ),
        (
            "Sus derechos",
            "Tiene derecho a pedirnos que no compartamos algo, incluso para tratamiento, pago u operaciones; no estamos"
            " obligados a aceptarlo, salvo que usted haya pagado el servicio por completo y pida que no lo digamos a su"
            " plan de salud; a saber con quién compartimos sus expedientes con su consentimiento en los últimos tres"
            " años; a una lista del intermediario de a quiénes los pasó; a recibir este aviso en papel o en formato"
            " electrónico y a conversarlo; y a no ser contactado para recaudar fondos.",
        ),
        (
            "Nuestros deberes",
            "La ley nos exige mantener privados sus expedientes, darle este aviso de nuestros deberes y prácticas,"
            " cumplir el aviso vigente y avisarle si se vulneran sus expedientes no protegidos. Podemos cambiar este"
            " aviso; el nuevo vale entonces para todos los expedientes que tenemos, y lo encuentra aquí y en la"
            " aplicación.",
        ),
        (
            "Quejas",
            "Si cree que se violaron sus derechos puede quejarse ante nosotros en {contact}, y ante el Secretario de"
            " Salud y Servicios Humanos, Oficina de Derechos Civiles. No tomaremos represalias por ello.",
        ),
        ("Desde cuándo vale", "Este aviso está vigente desde el {day}."),
    ),
)

CURRENT = "notice-1"
EFFECTIVE_ON: Mapping[str, date] = {"notice-1": date(2026, 11, 1)}
NOTICES: Mapping[tuple[str, str], NoticeText] = {("notice-1", "en"): _EN, ("notice-1", "es"): _ES}
