"""One sentence for whatever became one: when, and never what."""

from uuid import UUID

import pytest

from api.reminders.wording import Item, sentence
from tests.reminders.people import NEW_YORK, local

MONDAY = local("2026-06-08T09:00")
DETAILS = " Open the app for details."


def item(kind, starts, number=1):
    return Item(kind, UUID(int=number), local(starts), NEW_YORK)


TODAY, TOMORROW = item("appointment", "2026-06-08T18:00", 1), item("appointment", "2026-06-09T13:00", 2)
WEDNESDAY = item("appointment", "2026-06-10T09:00", 3)


@pytest.mark.parametrize(
    ("items", "said"),
    [
        pytest.param([TODAY], "You have an appointment today at 6:00 PM.", id="one"),
        pytest.param([TODAY, TODAY], "You have an appointment today at 6:00 PM.", id="one, reminded of twice"),
        pytest.param(
            [TOMORROW, TODAY],
            "You have appointments today at 6:00 PM and tomorrow at 1:00 PM.",
            id="two, the first first",
        ),
        pytest.param(
            [WEDNESDAY, TODAY, TOMORROW], "You have 3 appointments, the first today at 6:00 PM.", id="three and more"
        ),
        pytest.param(
            [item("moved", "2026-06-09T13:00", 2)],
            "An appointment has changed. It is now tomorrow at 1:00 PM.",
            id="moved",
        ),
        pytest.param(
            [item("moved", "2026-06-09T13:00", 2), TOMORROW],
            "An appointment has changed. It is now tomorrow at 1:00 PM.",
            id="moved, and its own reminder",
        ),
        pytest.param(
            [item("cancelled", "2026-06-09T13:00", 2)],
            "Your appointment tomorrow at 1:00 PM is canceled.",
            id="cancelled",
        ),
        pytest.param(
            [item("restored", "2026-06-09T13:00", 2)],
            "Your appointment tomorrow at 1:00 PM will take place after all.",
            id="restored",
        ),
        pytest.param(
            [item("cancelled", "2026-06-09T13:00", 2), item("cancelled", "2026-06-10T13:00", 3)],
            "Some of your appointments have changed.",
            id="only cancellations",
        ),
        pytest.param(
            [item("cancelled", "2026-06-09T13:00", 2), TODAY],
            "There is news about your appointments. One of them is today at 6:00 PM.",
            id="a cancellation, and a reminder of another",
        ),
    ],
)
def test_the_sentence_for(items, said):
    assert sentence(items, language="en", reader=NEW_YORK, at=MONDAY).text == said + DETAILS


def test_a_cancelled_appointment_is_not_said_to_come():
    both = [item("cancelled", "2026-06-08T18:00", 1), item("moved", "2026-06-09T13:00", 2)]
    assert "tomorrow at 1:00 PM" in sentence(both, language="en", reader=NEW_YORK, at=MONDAY).text
