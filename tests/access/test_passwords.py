"""Passwords: long rather than mixed, not what is tried first, and told kindly why not."""

import time
import unicodedata

import pytest

from api.access import passwords

GOOD = "violet kettle harbor"


def refused(password: str, name: str = "sam.rivers") -> str:
    with pytest.raises(passwords.PasswordRefused) as refusal:
        passwords.accepted(password, name=name)
    return str(refusal.value.extra["reason"])


def accepted(password: str, name: str = "sam.rivers") -> str:
    return passwords.accepted(password, name=name)


@pytest.mark.parametrize(
    "password", [GOOD, "gqzvwkxt", "ünïcödé-ñame", "🙂🙃🙂🙃🙂🙃🙂🙃", " leading and trailing ", "9" * 7 + "73"]
)
def test_no_mixture_is_asked_for_and_nothing_is_cut(password: str) -> None:
    assert accepted(password) == password


def test_eight_characters_are_enough_and_seven_are_not() -> None:
    assert refused("gqzvwkx") == refused("") == "too_short"
    assert accepted("gqzvwkxt")


def test_characters_are_counted_and_not_bytes() -> None:
    assert refused("🙂🙃🙂🙃🙂🙃🙂") == "too_short"
    assert accepted("🙂🙃" * 128)


@pytest.mark.parametrize("length", [64, 255, 256])
def test_long_passwords_are_welcome(length: int) -> None:
    assert accepted(("gqzvwkxt" * 32)[:length])


@pytest.mark.parametrize("length", [257, 1024, 1025, 100_000])
def test_endless_ones_are_not(length: int) -> None:
    assert refused("ab" * (length // 2) + "c" * (length % 2)) == "too_long"


def test_a_hostile_one_costs_no_time() -> None:
    begun = time.thread_time()
    assert refused("e" + "\u0301\u0323" * 300_000) == "too_long"
    assert time.thread_time() - begun < 5


def test_two_keyboards_type_the_same_password() -> None:
    composed = "señora de la casa"
    apart = unicodedata.normalize("NFD", composed)
    assert apart != composed and accepted(apart) == accepted(composed) == passwords.normalised(apart)


def test_nothing_typed_becomes_something_simpler() -> None:
    assert accepted("ﬁne kettle ①") == "ﬁne kettle ①"


def test_composition_comes_before_counting() -> None:
    assert refused(unicodedata.normalize("NFD", "ñandúes")) == "too_short"
    assert accepted(unicodedata.normalize("NFD", "é1" * 128))


def test_what_is_typed_too_long_is_compared_whole_at_sign_in() -> None:
    assert passwords.normalised("e\u0301" * 600) == "e\u0301" * 600
    assert passwords.normalised("e\u0301" * 512) == "é" * 512


@pytest.mark.parametrize(
    "password", ["password", "PASSWORD", "Password1", "12345678", "qwertyuiop", "iloveyou", "zzzzzzzzzzzz"]
)
def test_what_is_tried_first_is_refused_in_any_case(password: str) -> None:
    assert refused(password) == "too_common"


@pytest.mark.parametrize(
    "password", ["trinity1", "Continuum", "wellness", "Trinity Wellness", "trinitytrinity", "Continuum-2026"]
)
def test_the_clinics_own_words_are_expected(password: str) -> None:
    assert refused(password) == "too_common"


def test_only_the_whole_password_is_compared() -> None:
    assert accepted("my password is long") and accepted("wellness is a road") and accepted("sam.rivers has a boat")


@pytest.mark.parametrize(
    "password", ["sam.rivers", "SamRivers", "sam_rivers2026", "sam.riverssam.rivers", "SAM RIVERS 1"]
)
def test_the_sign_in_name_is_no_password(password: str) -> None:
    assert refused(password) == "like_the_name"


@pytest.mark.parametrize("name", ["", "...", "(a+)+$", "gqzvwkx|x"])
def test_any_name_is_compared_as_text(name: str) -> None:
    assert accepted("gqzvwkxt" * 2, name) == "gqzvwkxt" * 2
    assert accepted("!?!?!?!?12", name)


def test_a_name_is_itself_in_any_case() -> None:
    assert refused("sam.rivers", "Sam.Rivers") == refused("SAM.RIVERS", "sam.Rivers") == "like_the_name"


def test_five_digits_behind_a_word_are_more_than_a_year() -> None:
    assert refused("trinity 2026") == "too_common"
    assert accepted("trinity 20261")


@pytest.mark.parametrize("reason", passwords.GUIDANCE)
def test_every_reason_guides_in_both_languages(reason: str) -> None:
    said, said_es = passwords.GUIDANCE[reason]
    assert said.endswith(".") and said_es.endswith(".") and said != said_es


def test_a_refusal_says_why_and_does_not_repeat_the_password() -> None:
    with pytest.raises(passwords.PasswordRefused) as refusal:
        passwords.accepted("trinity2026", name="sam.rivers")
    for language, sentence in zip(("en", "es"), passwords.GUIDANCE["too_common"], strict=True):
        problem = refusal.value.problem(base_url="", language=language, instance="")
        assert problem["status"] == 422 and problem["detail"] == sentence and problem["reason"] == "too_common"
        assert "2026" not in str(problem)


def test_the_list_holds_what_is_long_enough_and_is_read_once() -> None:
    passwords._common.cache_clear()
    assert len(passwords._common()) > 10_000 and min(map(len, passwords._common())) == 8
    assert passwords._common() is passwords._common()
