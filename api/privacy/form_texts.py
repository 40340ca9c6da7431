"""The words of the forms by which a patient consents, by version and language.

A consent keeps its text and its hash, and a form printed on paper may come back weeks later: so a version is never
edited. Other words are another version, and the one before stays here for as long as paper of it may come in.

Each form carries every element of 42 CFR 2.31(a): (1) the patient, (2) who discloses, (3) what, (4) to whom, (5) what
for, (6) how to revoke it and what reliance means, (7) until when, (10) what others may do with it and what refusing
means; (8) and (9), who signed and when, are kept beside the text. Terms of criminal justice follow §2.35. The words
are ours, and for the clinic's counsel to confirm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class FormText:
    """One form in one language: `lines` in order, each with names to fill in; the mappings say what a word of the
    vocabulary is called in them."""

    lines: tuple[str, ...]
    categories: Mapping[str, str]
    purposes: Mapping[str, str]
    events: Mapping[str, str]
    revocable: Mapping[str, str]
    redisclosure: Mapping[str, str]
    treating_providers: str
    until_day: str
    whichever_first: str
    # Said where the consent names the end of treatment alone. The first forms do not say it, and their repr, by which
    # it is shown that they are the same still, goes without.
    waits: str = field(default="", repr=False)


_CATEGORIES = {
    "en": {
        "presence": "that I am or was in treatment at {discloser}",
        "level_of_care": "which program and level of care I am in, and since when",
        "attendance": "which sessions I was expected at, and which I attended or missed",
        "progress": "how many sessions and hours a week I attend, against what my program plans",
        "referral_outcome": "what became of my referral: if it was accepted, its steps, and if I was admitted",
    },
    "es": {
        "presence": "que estoy o estuve en tratamiento en {discloser}",
        "level_of_care": "en qué programa y nivel de atención estoy, y desde cuándo",
        "attendance": "a qué sesiones se me esperaba y a cuáles asistí o falté",
        "progress": "a cuántas sesiones y horas por semana asisto, frente a lo que prevé mi programa",
        "referral_outcome": "qué pasó con mi derivación: si fue aceptada, sus pasos y si fui admitido o admitida",
    },
}
_PURPOSES = {
    "en": {
        "treatment": "for my treatment, so that my care fits together",
        "patient_request": "at my request",
        "criminal_justice": "so that they can see whether I keep to the treatment that is a condition of this matter:"
        " {matter}",
    },
    "es": {
        "treatment": "para mi tratamiento, a fin de coordinar mi atención",
        "patient_request": "a petición mía",
        "criminal_justice": "para que puedan ver si cumplo con el tratamiento que es una condición de este asunto:"
        " {matter}",
    },
}
_EVENTS = {
    "en": {
        "end_of_treatment": "until my treatment at {discloser} has ended",
        "final_disposition": "until the matter named here has been finally decided",
    },
    "es": {
        "end_of_treatment": "hasta que haya terminado mi tratamiento en {discloser}",
        "final_disposition": "hasta que se haya resuelto definitivamente el asunto aquí nombrado",
    },
}
_TAKE_BACK = {
    "en": "I can take it back in writing: in the app, under Privacy, or by a letter to {discloser}, which also accepts"
    " my word by phone or in person. That counts at once. What was shared before in reliance on this permission cannot"
    " be called back.",
    "es": "Puedo retirarla por escrito: en la aplicación, en Privacidad, o por carta a {discloser}, que también acepta"
    " mi palabra por teléfono o en persona. Vale de inmediato. Lo que ya se compartió confiando en este permiso no se"
    " puede recuperar.",
}
_NOT_COVERED = {
    "en": "Never shared by this permission: my answers and scores from check-ins, counseling notes, and anything for"
    " use in legal proceedings.",
    "es": "Nunca se comparte con este permiso: mis respuestas y puntajes de los cuestionarios, las notas de consejería"
    " ni nada para usarse en procesos judiciales.",
}
_TELLS = {
    "en": "Whoever learns any of this also learns that I am or was in treatment for substance use or mental health.",
    "es": "Quien sepa algo de esto sabrá también que estoy o estuve en tratamiento por consumo de sustancias o salud"
    " mental.",
}

_USUAL_EN = FormText(
    lines=(
        "Permission to share information about my care",
        "I, {patient_name}, allow {discloser} to share information from my treatment record as written here.",
        "With: {recipient}.",
        "What: {categories}. {tells}",
        "{not_covered}",
        "What for: {purpose}.",
        "How long: {expires}. Then this permission ends by itself.",
        "Taking it back: {revocable} {take_back}",
        "What happens to it then: {redisclosure}",
        "If I do not sign: {discloser} treats me all the same. It then tells them nothing about me, except that a"
        " referral which they sent has arrived.",
    ),
    categories=_CATEGORIES["en"],
    purposes=_PURPOSES["en"],
    events=_EVENTS["en"],
    revocable={"any_time": "I can do so at any time."},
    redisclosure={
        "treatment": "those who receive this for my treatment may share it further as the HIPAA Privacy Rule (45 CFR"
        " part 164) permits, and 42 CFR part 2 may then no longer protect it. It may still not be used or shared in"
        " any civil, criminal, administrative or legislative proceedings against me without my consent or a court's"
        " order.",
        "patient_request": "federal rules (42 CFR part 2) forbid those who receive this to share it further, unless I"
        " agree in writing or those rules permit it. If they do share it, it may no longer be protected. It may not be"
        " used or shared in any civil, criminal, administrative or legislative proceedings against me without my"
        " consent or a court's order.",
    },
    treating_providers="my treating providers, that is, those who treat me and whom {discloser} has registered as"
    " treating providers",
    until_day="until the end of {day}",
    whichever_first="{event}, or {day}, whichever comes first",
)
_USUAL_ES = FormText(
    lines=(
        "Permiso para compartir información sobre mi atención",
        "Yo, {patient_name}, permito que {discloser} comparta información de mi expediente de tratamiento según lo"
        " escrito aquí.",
        "Con: {recipient}.",
        "Qué: {categories}. {tells}",
        "{not_covered}",
        "Para qué: {purpose}.",
        "Por cuánto tiempo: {expires}. Después este permiso termina por sí solo.",
        "Retirarlo: {revocable} {take_back}",
        "Qué pasa después con la información: {redisclosure}",
        "Si no firmo: {discloser} me atiende igual. Entonces no les dice nada sobre mí, salvo que llegó una derivación"
        " que ellos mismos enviaron.",
    ),
    categories=_CATEGORIES["es"],
    purposes=_PURPOSES["es"],
    events=_EVENTS["es"],
    revocable={"any_time": "Puedo hacerlo en cualquier momento."},
    redisclosure={
        "treatment": "quienes la reciban para mi tratamiento pueden compartirla a su vez según lo permita la Regla de"
        " Privacidad de HIPAA (45 CFR parte 164), y entonces 42 CFR parte 2 podría dejar de protegerla. Aun así, no se"
        " puede usar ni compartir en ningún proceso civil, penal, administrativo o legislativo contra mí sin mi"
        " consentimiento o una orden judicial.",
        "patient_request": "las reglas federales (42 CFR parte 2) prohíben a quienes la reciban compartirla de nuevo,"
        " salvo que yo lo acepte por escrito o esas reglas lo permitan. Si la comparten, podría dejar de estar"
        " protegida. No se puede usar ni compartir en ningún proceso civil, penal, administrativo o legislativo contra"
        " mí sin mi consentimiento o una orden judicial.",
    },
    treating_providers="mis proveedores tratantes, es decir, quienes me atienden y a quienes {discloser} tiene"
    " registrados como proveedores tratantes",
    until_day="hasta el final del {day}",
    whichever_first="{event}, o {day}, lo que ocurra primero",
)
_JUSTICE_EN = FormText(
    lines=(
        "Permission to report on my attendance and progress in a legal matter",
        "Please read the part on taking it back before you sign: {revocable}",
        "I, {patient_name}, allow {discloser} to share information from my treatment record as written here.",
        "With: {recipient}.",
        "What: {categories}. {tells}",
        "{not_covered}",
        "What for: {purpose}.",
        "How long: {expires}. Then this permission ends by itself, and it ends in any case once that matter has been"
        " finally decided.",
        "Taking it back: {revocable} {take_back}",
        "What happens to it then: {redisclosure}",
        "If I do not sign: {discloser} treats me all the same. Those in charge of the matter decide what that means"
        " there; {discloser} does not.",
    ),
    categories=_CATEGORIES["en"],
    purposes=_PURPOSES["en"],
    events=_EVENTS["en"],
    revocable={
        "any_time": "I can do so at any time.",
        "from_date": "I can do so from {revocable_day} on, or once the matter named here has been finally decided, if"
        " that is sooner. Before then I cannot take it back.",
        "from_final_disposition": "I cannot do so before the matter named here has been finally decided (its final"
        " disposition). From then on nothing more is shared.",
    },
    redisclosure={
        "criminal_justice": "those who receive this may use it and pass it on only to carry out their official duties"
        " in the matter named here (42 CFR 2.35). What is used otherwise may no longer be protected, and may not be"
        " used against me without my consent or a court's order."
    },
    treating_providers="",
    until_day="until the end of {day}",
    whichever_first="{event}, or {day}, whichever comes first",
)
_JUSTICE_ES = FormText(
    lines=(
        "Permiso para informar sobre mi asistencia y mi avance en un asunto legal",
        "Antes de firmar, lea cuándo se puede retirar: {revocable}",
        "Yo, {patient_name}, permito que {discloser} comparta información de mi expediente de tratamiento según lo"
        " escrito aquí.",
        "Con: {recipient}.",
        "Qué: {categories}. {tells}",
        "{not_covered}",
        "Para qué: {purpose}.",
        "Por cuánto tiempo: {expires}. Después este permiso termina por sí solo, y termina en todo caso cuando ese"
        " asunto se haya resuelto definitivamente.",
        "Retirarlo: {revocable} {take_back}",
        "Qué pasa después con la información: {redisclosure}",
        "Si no firmo: {discloser} me atiende igual. Quienes llevan el asunto deciden qué significa eso allí;"
        " {discloser} no lo decide.",
    ),
    categories=_CATEGORIES["es"],
    purposes=_PURPOSES["es"],
    events=_EVENTS["es"],
    revocable={
        "any_time": "Puedo hacerlo en cualquier momento.",
        "from_date": "Puedo hacerlo a partir del {revocable_day}, o cuando el asunto aquí nombrado se haya resuelto"
        " definitivamente, si ocurre antes. Hasta entonces no puedo retirarlo.",
        "from_final_disposition": "No puedo hacerlo antes de que el asunto aquí nombrado se haya resuelto"
        " definitivamente. A partir de entonces no se comparte nada más.",
    },
    redisclosure={
        "criminal_justice": "quienes la reciban pueden usarla y transmitirla solo para cumplir sus funciones oficiales"
        " en el asunto aquí nombrado (42 CFR 2.35). Lo que se use de otro modo podría dejar de estar protegido, y no se"
        " puede usar contra mí sin mi consentimiento o una orden judicial."
    },
    treating_providers="",
    until_day="hasta el final del {day}",
    whichever_first="{event}, o {day}, lo que ocurra primero",
)

_WAITS = {
    "en": " It also ends {days} days after I sign, if I am not in treatment at {discloser} at any time until then.",
    "es": " También termina {days} días después de mi firma, si hasta entonces no estoy en tratamiento en {discloser}"
    " en ningún momento.",
}


def _saying_how_long_it_waits(form: FormText, language: str) -> FormText:
    """The form with that sentence after the one that says until when."""
    lines = tuple(line + "{waits}" if "{expires}" in line else line for line in form.lines)
    return replace(form, lines=lines, waits=_WAITS[language])


SAID = {
    language: {"take_back": _TAKE_BACK[language], "not_covered": _NOT_COVERED[language], "tells": _TELLS[language]}
    for language in ("en", "es")
}
CURRENT = {"usual": "release-2", "criminal_justice": "criminal-justice-2"}
FORMS: Mapping[tuple[str, str], FormText] = {
    ("release-1", "en"): _USUAL_EN,
    ("release-1", "es"): _USUAL_ES,
    ("criminal-justice-1", "en"): _JUSTICE_EN,
    ("criminal-justice-1", "es"): _JUSTICE_ES,
    ("release-2", "en"): _saying_how_long_it_waits(_USUAL_EN, "en"),
    ("release-2", "es"): _saying_how_long_it_waits(_USUAL_ES, "es"),
    ("criminal-justice-2", "en"): _saying_how_long_it_waits(_JUSTICE_EN, "en"),
    ("criminal-justice-2", "es"): _saying_how_long_it_waits(_JUSTICE_ES, "es"),
}
