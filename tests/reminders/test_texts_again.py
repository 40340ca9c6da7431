"""A text is counted before it is sent. What was counted and is in doubt is sent again, and not kept back by itself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from api.messages.gateway import RETRY, Outcome
from api.messages.post import Post
from api.reminders import worker
from tests.reminders.people import local
from tests.reminders.test_delivering import EVENING, Carrier

NUMBER = """
WITH consent AS (
    INSERT INTO text_consents (id, patient_id, number, text_id, language, text_hash, given_by, given_at)
    VALUES (gen_random_uuid(), %s, '+12025550123', 'reminders', 'en', 'x', 'app', '2026-05-01')
    RETURNING id, patient_id, number)
INSERT INTO text_numbers (id, patient_id, number, number_index, set_by, set_at, confirmed_at, consent_id, version)
SELECT gen_random_uuid(), patient_id, number, 'x', 'patient', '2026-05-01', '2026-05-01', id, 1 FROM consent
"""


@pytest.fixture
def with_number(patient: Any, owner_sql: Any) -> UUID:
    owner_sql(NUMBER, patient.id)
    return patient.id


def test_a_text_that_was_not_taken_is_sent_later_under_its_own_count(
    with_number: UUID, group: UUID, travel: Any, rows: Callable[..., Any], leases_end: Callable[[], None]
) -> None:
    carrier = Carrier("sms")
    carrier.answers = [Outcome(RETRY, "503")]
    post = Post([carrier])
    assert worker.tick(at=travel(local(EVENING)), post=post) == {"retry": 1}
    leases_end()
    assert worker.tick(at=travel(local("2026-06-09T18:02")), post=post) == {"accepted": 1}
    post.close()
    assert rows(with_number, lead="evening_before")[0].channel == "sms"
    assert [key for key, _ in carrier.asked] == [carrier.asked[0][0]] * 2


def test_another_text_of_the_day_is_kept_back(
    with_number: UUID, group: UUID, travel: Any, rows: Callable[..., Any]
) -> None:
    post = Post([Carrier("sms")])
    worker.tick(at=travel(local(EVENING)), post=post)
    assert worker.tick(at=travel(local("2026-06-10T16:00")), post=post) == {"sms_cap": 1}
    post.close()
