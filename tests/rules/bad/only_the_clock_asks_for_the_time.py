# api/reminders/plan.py
from datetime import UTC, date, datetime


def due(reminder):
    if reminder.on == date.today():  # bad
        return True
    return reminder.at <= datetime.now(UTC)  # bad
