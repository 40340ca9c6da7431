"""Reminders among killed workers, a database that crashes and carriers out of reach: `make faults`, in short."""

from pathlib import Path

from tests.faults import reminders


def test_what_breaks_loses_no_reminder_and_says_none_twice(tmp_path: Path) -> None:
    found = reminders.all_of(reminders.SHORT, tmp_path)
    assert [one.row() for one in found if not one.holds] == []
