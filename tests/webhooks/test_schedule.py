"""Attempts are made over three days, and a receiver may ask for more time."""

from datetime import UTC, datetime, timedelta

import pytest

from api.webhooks import schedule

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOURS = timedelta(hours=1)


def waits(**options):
    found, attempts = [], 0
    while (wait := schedule.wait_after(attempts, chance=0.0, **options)) is not None:
        found.append(wait)
        attempts += 1
    return found


def test_ten_attempts_are_made_in_three_days():
    seconds = [wait.total_seconds() for wait in waits()]
    assert seconds == [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert timedelta(hours=75.5) < sum(waits(), timedelta()) < timedelta(hours=75.7)


def test_a_challenge_is_not_sent_for_days():
    assert len(waits(challenge=True)) == 6 and sum(waits(challenge=True), timedelta()) < HOURS


@pytest.mark.parametrize("attempts", range(1, 10))
def test_those_that_failed_together_come_again_apart(attempts):
    early, late = (schedule.wait_after(attempts, chance=chance) for chance in (0.0, 1.0))
    assert late == early * 1.1


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(timedelta(seconds=2), timedelta(seconds=5)), (HOURS, HOURS), (HOURS * 72, HOURS * 24)],
)
def test_a_receiver_is_given_the_time_that_it_asks_for_up_to_a_day(asked, wait):
    assert schedule.wait_after(1, asked=asked, chance=0.0) == wait


def test_asking_for_time_gives_no_further_attempt():
    assert schedule.wait_after(10, asked=HOURS, chance=0.0) is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("120", timedelta(minutes=2)),
        (" 7 ", timedelta(seconds=7)),
        ("99999999999999999999", HOURS * 24),
        ("Tue, 24 Nov 2026 13:00:00 GMT", HOURS),
        ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta()),
        ("Tue, 24 Nov 2026 13:00:00 -0000", HOURS),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("Tue, 24 Nov 99999999999999999999 13:00:00 GMT", None),
        ("Tue, 24 Nov 2026 13:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, wait):
    assert schedule.retry_after(header, at=NOON) == wait
