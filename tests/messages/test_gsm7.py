"""Every sentence that may go out by text is one text of 160 septets."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api import vocabulary
from api.messages import gsm7, templates, when, wording

NEW_YORK, APIA = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")
START = datetime(2026, 1, 1, 22, 30, tzinfo=UTC)
LANGUAGES = (*vocabulary.LANGUAGES, None)

every_template = pytest.mark.parametrize(
    ("template", "language"), [(one, language) for one in templates.TEMPLATES for language in vocabulary.LANGUAGES]
)


def longest(language):
    """The longest of each thing that a sentence may name."""
    year = [START + timedelta(days=day) for day in range(365)]
    spoken = [when.parts(day, zone=NEW_YORK, reader=APIA, at=START, language=language) for day in year]
    day, clock = (max(words, key=len) for words in zip(*spoken, strict=True))
    both = f"{day} {clock}"
    return {"when": both, "then": both, "count": 99, "day": day, "first": clock, "last": clock}


@every_template
@pytest.mark.parametrize("more", [False, True])
def test_a_template_with_the_longest_times_is_one_text(template, language, more):
    sentence = templates.text(template, language, more=more, **longest(language))
    assert gsm7.septets(gsm7.transliterate(sentence)) <= gsm7.LONGEST


@pytest.mark.parametrize("sentence", wording.SENTENCES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_back_is_one_text(sentence, language):
    assert gsm7.septets(gsm7.transliterate(wording.said(sentence, language, code="493027"))) <= gsm7.LONGEST


def test_nothing_of_a_sentence_is_lost_but_accents():
    for sentences in (*templates.TEMPLATES.values(), *wording.SENTENCES.values()):
        assert all(gsm7.UNKNOWN not in gsm7.transliterate(one) for one in sentences.values())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("está aquí, mañana", "esta aqui, mañana"),
        ("Ábralo él, ¿sí?", "Abralo él, ¿si?"),
        ("“it’s” — now…", '"it\'s" - now...'),
        ("6:00\u202fp.\u00a0m.", "6:00 p. m."),
        ("façade", "facade"),
        ("n\u0303", "ñ"),
        ("ﬁne", "fine"),
        ("🙂", "?"),
    ],
)
def test_what_is_not_in_the_alphabet_is_written_near_to_it(text, written):
    assert gsm7.transliterate(text) == written


def test_some_characters_take_two_septets():
    assert gsm7.septets("a[b]€") == 8


def test_what_is_not_in_the_alphabet_is_not_counted():
    with pytest.raises(ValueError, match="alphabet"):
        gsm7.septets("está")


def test_the_alphabet_has_127_characters_and_an_escape():
    assert len(gsm7.BASIC) == 127 and not gsm7.BASIC & gsm7.EXTENDED
