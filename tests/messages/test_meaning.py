"""What a text means, in either language."""

import pytest

from api.messages import meaning


def kind(body):
    return meaning.of(body).kind


@pytest.mark.parametrize(
    "body",
    [
        *("STOP", "stop", " Stop. ", "STOP!", "quit", "End", "REVOKE", "opt out", "OPT-OUT", "cancel", "Unsubscribe"),
        *("StopAll", "Alto", "PARAR", "baja", "Cancelar", "stop please", "please stop", "Please stop texting me"),
        *(
            "Don't text me",
            "don’t text me again",
            "no more messages",
            "No me escriban más",
            "dejen de enviarme mensajes",
        ),
    ],
)
def test_whatever_asks_for_an_end_ends_texts(body):
    assert kind(body) == "stop"


@pytest.mark.parametrize("body", ["I will stop by the office tomorrow", "the bus stop is far", "at the end of the day"])
def test_a_word_in_a_sentence_about_something_else_ends_nothing(body):
    assert kind(body) == "other"


@pytest.mark.parametrize("body", ["START", "unstop", "Iniciar"])
def test_start(body):
    assert kind(body) == "start"


@pytest.mark.parametrize("body", ["HELP", "info", "Ayuda"])
def test_help(body):
    assert kind(body) == "help"


@pytest.mark.parametrize(
    ("body", "means"), [("1", "confirmed"), (" 1. ", "confirmed"), ("2", "declined"), ("12", "other"), ("1 2", "other")]
)
def test_digits_answer(body, means):
    assert kind(body) == means


@pytest.mark.parametrize("body", ["Wrong number", "you have the wrong person", "Número equivocado", "not my number!"])
def test_wrong_number(body):
    assert kind(body) == "wrong_number"


@pytest.mark.parametrize(
    "body",
    [
        *("I want to die", "thinking of suicide", "I'm suicidal", "gonna kill myself", "Overdosed", "I am not safe"),
        *("STOP I want to die", "quiero morirme", "pienso hacerme daño", "me voy a quitar la vida", "KILL  MYSELF"),
    ],
)
def test_a_word_of_crisis_is_found_whatever_else_is_said(body):
    assert meaning.of(body).crisis


@pytest.mark.parametrize(
    "body",
    [
        *("STOP I want to die", "Stop. Suicide", "ALTO quiero morirme", "kill myself. STOP"),
        *("STOP I'm suicidal", "STOP. I will kill myself", "Stop all, I am not safe"),
    ],
)
def test_a_stop_beside_a_word_of_crisis_is_a_stop(body):
    assert meaning.of(body) == meaning.Meaning("stop", crisis=True)


@pytest.mark.parametrize(
    "body", ["I want to end my life", "I can not stop thinking of suicide", "help suicide", "1 suicide", "matarme"]
)
def test_a_word_of_crisis_alone_ends_nothing(body):
    assert meaning.of(body) == meaning.Meaning("other", crisis=True)


@pytest.mark.parametrize("body", ["1", "STOP", "I am running late", "the traffic is killing me", "voy tarde", "", "🙂"])
def test_other_words_are_no_crisis(body):
    assert not meaning.of(body).crisis


@pytest.mark.parametrize(
    "body",
    [
        *("I can't stop overdosing", "Can't stop. Want to die", "want to die make it stop", "he won't stop overdosing"),
        *("want to stop overdosing", "Cannot stop hurt myself", "overdosing won't stop", "please stop suicide"),
        *("I stop overdosing", "stop me, want to die"),
        *("I don't want to die, contact me", "do not kill myself, text me"),
    ],
)
def test_to_stop_something_else_beside_a_word_of_crisis_ends_nothing(body):
    assert meaning.of(body) == meaning.Meaning("other", crisis=True)


@pytest.mark.parametrize(
    ("body", "means"),
    [
        *(("I want to die, stop texting me", "stop"), ("don't text me, I am not safe", "stop")),
        *(("suicide? wrong number", "wrong_number"), ("Número equivocado, quiero morirme", "wrong_number")),
    ],
)
def test_a_sentence_that_asks_for_an_end_beside_a_word_of_crisis_is_heard(body, means):
    assert meaning.of(body) == meaning.Meaning(means, crisis=True)


def test_a_keyword_tells_its_language():
    assert meaning.of("ALTO").language == "es"
    assert meaning.of("STOP").language is None


@pytest.mark.parametrize("body", ["", " ", "...", "\x00", "🙂" * 400, "a" * 2000])
def test_any_text_means_something(body):
    assert kind(body) == "other"
