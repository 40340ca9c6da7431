"""A phone's clock may be wrong; what it tells is corrected, flagged, and never refused for that."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api import phoneclock
from api.phoneclock import OLDEST, happened

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))


def test_what_was_given_a_moment_ago_is_taken_as_it_is() -> None:
    found = happened(occurred_at=NOW - timedelta(seconds=50), sent_at=NOW - timedelta(seconds=1), received_at=NOW)
    assert (found.at, found.clock_corrected, found.late) == (NOW - timedelta(seconds=50), False, False)


def test_what_waited_on_an_offline_phone_keeps_its_time_and_is_late() -> None:
    found = happened(occurred_at=NOW - timedelta(hours=9), sent_at=NOW, received_at=NOW)
    assert (found.at, found.clock_corrected, found.late) == (NOW - timedelta(hours=9), False, True)


def test_a_phone_that_is_an_hour_ahead_is_corrected() -> None:
    ahead = NOW + timedelta(hours=1)
    found = happened(occurred_at=ahead - timedelta(minutes=5), sent_at=ahead, received_at=NOW)
    assert (found.at, found.clock_corrected, found.late) == (NOW - timedelta(minutes=5), True, False)


def test_a_phone_that_thinks_it_is_1970_is_corrected() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = happened(occurred_at=epoch, sent_at=epoch + timedelta(minutes=10), received_at=NOW)
    assert found.at == NOW - timedelta(minutes=10)


@given(MOMENTS, MOMENTS)
def test_no_clock_puts_it_after_the_receipt_or_absurdly_long_before(occurred_at: datetime, sent_at: datetime) -> None:
    found = happened(occurred_at=occurred_at, sent_at=sent_at, received_at=NOW)
    assert NOW - OLDEST <= found.at <= NOW


def test_a_phone_that_tells_no_time_tells_of_now() -> None:
    assert phoneclock.moment(None, sent_at=NOW - timedelta(days=1), received_at=NOW) == NOW


def test_without_a_sending_time_the_phone_is_believed() -> None:
    an_hour_ago = NOW - timedelta(hours=1)
    assert phoneclock.moment(an_hour_ago, sent_at=None, received_at=NOW) == an_hour_ago
