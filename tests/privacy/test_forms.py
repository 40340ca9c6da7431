"""The text that is signed: every element that the law asks for, the same bytes each time, never edited afterwards."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api import vocabulary
from api.app import Continuum
from api.privacy import form_texts, forms, waiting
from api.privacy.forms import Draft

USUAL = Draft(
    patient_name="Sam Rivers",
    categories=("attendance", "presence"),
    purpose="treatment",
    expires_on=date(2027, 3, 1),
    expires_on_event="end_of_treatment",
)
JUSTICE = Draft(
    patient_name="Sam Rivers",
    categories=("attendance", "progress"),
    purpose="criminal_justice",
    terms="criminal_justice",
    matter="Case 27-118, County Treatment Court",
    revocable="from_final_disposition",
    expires_on_event="final_disposition",
)
# Frozen: what was signed under a version stays what that version says. Other words are another version.
FROZEN = {
    ("release-1", "en"): "a2cce347d507067a98a97195f0c7e5ec3be52682813ec6689ce9bd17f16af116",
    ("release-1", "es"): "22560b3ae6c05562db2a976b595e5ed194b09ba8b414f4a9d97270cffaa51b37",
    ("criminal-justice-1", "en"): "936c9795932c2bc8270bfdef5af2abe3a8992575e49b8fedd6995a99dc569fa3",
    ("criminal-justice-1", "es"): "07dfd315e6d1283fda52d2dcebc362e34a59127f9505af815a4a871395db0612",
    ("release-2", "en"): "a00ace07dca98bbfef7043f03613438c35708c1f03fd4220a60dbde924e6a7ed",
    ("release-2", "es"): "0ae9ee503cd81eeafce536f42e11a02f41e95f7aa26fdead636128dd2fbde035",
    ("criminal-justice-2", "en"): "9e8a01bdb50b36efdd4b04608daf4528ed32eea70ada7c40d2c28bcf84d1913a",
    ("criminal-justice-2", "es"): "f1ffe0562cbd8544db3e645fa892bf615eec1dc69a10b63ea0773f3358e06992",
}
WAITS = {
    "en": "It also ends 180 days after I sign, if I am not in treatment at {clinic} at any time until then.",
    "es": "También termina 180 días después de mi firma, si hasta entonces no estoy en tratamiento en {clinic}"
    " en ningún momento.",
}


@pytest.fixture(autouse=True)
def of_the_clinic(app: Continuum) -> None:
    """The clinic's name and zone are those of its settings."""


def usual(language: str = "en", recipient: str | None = "Harbor Detox", version: str | None = None, **more: Any) -> str:
    return forms.written(replace(USUAL, **more), recipient=recipient, language=language, version=version).text


def justice(language: str = "en", **more: Any) -> str:
    return forms.written(replace(JUSTICE, **more), recipient="County Court", language=language).text


# By element of 42 CFR 2.31(a): what the form says in either language.
ELEMENTS = {
    "1 the patient": ("I, Sam Rivers,", "Yo, Sam Rivers,"),
    "2 who tells": ("allow Trinity Wellness Group to share", "permito que Trinity Wellness Group comparta"),
    "3 what": (
        "which sessions I was expected at, and which I attended or missed",
        "a qué sesiones se me esperaba y a cuáles asistí o falté",
    ),
    "4 whom": ("With: Harbor Detox.", "Con: Harbor Detox."),
    "5 what for": ("for my treatment", "para mi tratamiento"),
    "6 taking it back in writing": ("take it back in writing", "Puedo retirarla por escrito"),
    "6 reliance": (
        "in reliance on this permission cannot be called back",
        "Lo que ya se compartió confiando en este permiso no se puede recuperar",
    ),
    "7 until when": (
        "until my treatment at Trinity Wellness Group has ended, or until the end of March 1, 2027",
        "hasta que haya terminado mi tratamiento en Trinity Wellness Group, o hasta el final del 1 de marzo de 2027",
    ),
    "10 passing it on": (
        "may share it further as the HIPAA Privacy Rule",
        "pueden compartirla a su vez según lo permita la Regla de Privacidad de HIPAA",
    ),
    "4 not against the patient": (
        "in any civil, criminal, administrative or legislative proceedings against me",
        "en ningún proceso civil, penal, administrativo o legislativo contra mí",
    ),
    "10 refusing": (
        "If I do not sign: Trinity Wellness Group treats me all the same",
        "Si no firmo: Trinity Wellness Group me atiende igual",
    ),
}
OF_JUSTICE = {
    "1 the patient": ("I, Sam Rivers,", "Yo, Sam Rivers,"),
    "2 who tells": ("allow Trinity Wellness Group to share", "permito que Trinity Wellness Group comparta"),
    "3 what": ("how many sessions and hours a week I attend", "a cuántas sesiones y horas por semana asisto"),
    "4 whom": ("With: County Court.", "Con: County Court."),
    "5 what for": ("a condition of this matter: Case 27-118", "una condición de este asunto: Case 27-118"),
    "6 from when": (
        "before the matter named here has been finally decided (its final disposition)",
        "antes de que el asunto aquí nombrado se haya resuelto definitivamente",
    ),
    "6 reliance": ("in reliance on this permission", "confiando en este permiso"),
    "7 until when": ("until the matter named here has been finally", "hasta que se haya resuelto definitivamente"),
    "passing it on": ("only to carry out their official duties", "solo para cumplir sus funciones oficiales"),
    "refusing": ("If I do not sign: Trinity", "Si no firmo: Trinity"),
}


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_form_carries_every_element_of_a_written_consent(element: str) -> None:
    english, spanish = ELEMENTS[element]
    assert english in usual() and spanish in usual("es")


@pytest.mark.parametrize("element", OF_JUSTICE)
def test_so_does_the_form_for_a_legal_matter(element: str) -> None:
    english, spanish = OF_JUSTICE[element]
    assert english in justice() and spanish in justice("es")


def how_long(text: str) -> str:
    """The one paragraph that says until when."""
    (said,) = [one for one in text.split("\n\n") if one.startswith(("How long: ", "Por cuánto tiempo: "))]
    return said


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("form", [usual, justice])
def test_where_it_lasts_until_the_end_of_treatment_alone_it_says_how_long_it_waits_for_one(
    form: Callable[..., str], language: str
) -> None:
    said = how_long(form(language, expires_on=None, expires_on_event="end_of_treatment"))
    assert said.endswith(". " + WAITS[language].format(clinic="Trinity Wellness Group"))


def test_it_says_the_number_of_days_that_the_clinic_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_waits", timedelta(days=90))
    assert "It also ends 90 days after I sign" in usual(expires_on=None)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "text",
    [
        lambda language: usual(language),
        lambda language: usual(language, expires_on_event=None),
        lambda language: justice(language),
        lambda language: usual(language, expires_on=None, version="release-1"),
    ],
    ids=["a day too", "a day alone", "a matter's end", "printed before"],
)
def test_where_it_does_not_wait_it_does_not_say_so(text: Callable[[str], str], language: str) -> None:
    assert "180" not in text(language) and how_long(text(language))[-1] == "."


def test_only_what_is_released_stands_in_the_form() -> None:
    assert "which program and level of care" not in usual()
    assert "which program and level of care" in usual(categories=("level_of_care",))


def test_a_class_of_recipients_is_described() -> None:
    text = usual(recipient=None, recipient_class="treating_providers")
    assert "With: my treating providers, that is, those who treat me" in text


def test_told_at_the_patients_request_it_may_not_be_passed_on() -> None:
    assert "forbid those who receive this to share it further" in usual(purpose="patient_request")


def test_before_signing_for_a_legal_matter_it_is_said_from_when_it_can_be_taken_back() -> None:
    said = "I cannot do so before the matter named here has been finally decided (its final disposition)."
    assert said in justice().split("\n\n")[1]
    assert justice().index(said) < justice().index("I, Sam Rivers")
    assert "No puedo hacerlo antes" in justice("es").split("\n\n")[1]
    assert "Case 27-118, County Treatment Court" in justice()


def test_a_day_to_take_it_back_is_never_later_than_the_final_disposition() -> None:
    text = justice(revocable="from_date", revocable_on=date(2027, 1, 15))
    assert "from January 15, 2027 on, or once the matter named here has been finally decided, if that is sooner" in text


def test_spanish_is_spanish_throughout() -> None:
    text = usual("es")
    assert "Yo, Sam Rivers, permito que Trinity Wellness Group" in text and "1 de marzo de 2027" in text
    assert not {"share", "treatment", "permission"} & set(text.lower().split())


def test_a_day_lasts_until_its_end_on_the_clinics_clock() -> None:
    assert USUAL.expires_at == datetime(2027, 3, 2, 5, tzinfo=UTC)
    assert replace(USUAL, expires_on=None).expires_at is None


def test_braces_in_a_name_are_only_a_name() -> None:
    assert "I, {discloser} {0}, allow" in usual(patient_name="{discloser} {0}")


def test_the_form_of_other_terms_is_not_this_one() -> None:
    with pytest.raises(forms.UnknownForm):
        forms.written(USUAL, recipient="Harbor Detox", language="en", version="criminal-justice-1")
    with pytest.raises(forms.UnknownForm):
        forms.written(USUAL, recipient="Harbor Detox", language="en", version="release-0")


def test_every_word_of_the_vocabulary_has_words() -> None:
    for wording in form_texts.FORMS.values():
        assert tuple(wording.categories) == vocabulary.DISCLOSURE_CATEGORIES
        assert set(wording.purposes) == set(vocabulary.CONSENT_PURPOSES)
        assert set(wording.events) == set(vocabulary.CONSENT_EVENTS)
        assert set(wording.revocable) <= set(vocabulary.CONSENT_REVOCABLE)


def said(wording: form_texts.FormText, language: str) -> tuple[Any, ...]:
    """All the words of a version."""
    return (wording, form_texts.SAID[language], *([wording.waits] if wording.waits else []))


def test_a_version_is_never_edited() -> None:
    found = {
        (version, language): hashlib.sha256(repr(said(wording, language)).encode()).hexdigest()
        for (version, language), wording in form_texts.FORMS.items()
    }
    assert found == FROZEN
