"""Every sentence that leaves the house is neutral, short, and there in both languages."""

import re
from datetime import UTC, datetime, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from api import vocabulary
from api.messages import templates, when

# A sentence that names a level of care, what is done there, who does it, where, or for what, tells too much. Each
# stem is looked for at the beginning of any word.
TELLING = re.compile(
    r"\b(clinic|program|trinity|wellness|iop|php|detox|inpatient|outpatient|hospital|intensiv|level of care|nivel"
    r"|therap|terap|treatment|tratamiento|counsel|consejer|group|grup|session|sesi[oó]n de|facilitat|psych|psiq|psic"
    r"|recover|recupera|rehab|sober|sobri|addict|adicc|substance|sustancia|alcohol|drug|droga|opioid|overdos|sobredosis"
    r"|craving|relaps|reca[ií]da|doctor|nurse|enfermer|patient|paciente|medic|diagnos|health|salud|depress|depres"
    r"|suicid|crisis|questionnaire|cuestionario|check-in|room|sala|street|calle|address|direcci[oó]n|building|edificio)",
    re.IGNORECASE,
)
NEW_YORK, APIA = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")

every_sentence = pytest.mark.parametrize(
    ("template", "language"), [(one, language) for one in templates.TEMPLATES for language in vocabulary.LANGUAGES]
)


def telling(sentence):
    return TELLING.search(sentence)


@every_sentence
def test_no_sentence_tells_what_where_or_with_whom(template, language):
    assert telling(templates.TEMPLATES[template][language]) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Your IOP group starts tomorrow at 6:00 PM.",
        "Trinity Wellness Group: you have an appointment tomorrow.",
        "Su sesión de terapia es mañana.",
        "You have an appointment with your counselor.",
        "You have an appointment in room 4.",
    ],
)
def test_a_telling_sentence_is_found(sentence):
    assert telling(sentence)


@every_sentence
def test_nothing_but_times_and_counts_is_filled_in(template, language):
    fields = {name for _, name, _, _ in Formatter().parse(templates.TEMPLATES[template][language]) if name}
    assert fields <= {"when", "then", "count", "day", "first", "last", "end"}


@every_sentence
def test_the_longest_sentence_fits_a_text_message(template, language):
    year = [datetime(2026, 1, 1, 22, 30, tzinfo=UTC) + timedelta(days=day) for day in range(365)]
    spoken = [when.parts(day, zone=NEW_YORK, reader=APIA, at=year[0], language=language) for day in year]
    day, clock = (max(words, key=len) for words in zip(*spoken, strict=True))
    longest = f"{day} {clock}"
    values = {"when": longest, "then": longest, "count": 99, "day": day, "first": clock, "last": clock}
    for more in (False, True):
        assert len(templates.text(template, language, more=more, **values)) <= templates.LONGEST


@pytest.mark.parametrize("language", vocabulary.LANGUAGES)
def test_how_a_sentence_ends_tells_nothing_either(language):
    ends = templates.DETAILS[language], templates.MORE[language]
    assert [telling(end) for end in ends] == [None, None]


@pytest.mark.parametrize("template", templates.TEMPLATES)
def test_both_languages_say_the_same_fields(template):
    english, spanish = (templates.TEMPLATES[template][language] for language in ("en", "es"))
    assert {one[1] for one in Formatter().parse(english)} == {one[1] for one in Formatter().parse(spanish)}


def test_a_language_that_is_not_spoken_here_reads_english():
    assert templates.text("changes", "fr") == templates.text("changes", "en")


def test_an_abbreviation_at_the_end_keeps_one_period():
    assert templates.text("appointment", "es", when="hoy a las 6:00 p. m.").startswith(
        "Tiene una cita hoy a las 6:00 p. m. A"
    )
