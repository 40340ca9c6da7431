"""The only place that asks for the time.

Two clocks, because the domain's may be moved (in tests, in development) and the one that guards
secrets may not: `now` is the clinic's time, `wall` is for tokens. Leases, replay and throttle windows
use the database's own clock and neither of these.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

# Where the seconds stand by which development's domain runs ahead; all its processes read them.
_file: Path | None = None
_ahead: tuple[int, timedelta] = (0, timedelta())


def use(file: Path | None) -> None:
    """Let the domain's time be moved by what `file` holds (see `move`): for development only; None for real time."""
    global _file
    _file = file


def move(file: Path, *, ahead: timedelta) -> None:
    """Let every process that uses `file` live so much later than now."""
    fresh = file.with_suffix(".new")
    fresh.write_text(str(round(ahead.total_seconds())))
    fresh.replace(file)


def ahead(file: Path) -> timedelta:
    """By how much the domain's time is ahead of the real one. Without the file, by nothing."""
    try:
        return timedelta(seconds=int(file.read_text()))
    except FileNotFoundError:
        return timedelta()


def now() -> datetime:
    """The domain's time: aware, UTC, whole seconds (the promise publishes no fractions)."""
    real = datetime.now(UTC).replace(microsecond=0)
    return real if _file is None else real + _moved(_file)


def wall() -> datetime:
    """Real time, for the lifetime of tokens only: aware, UTC."""
    return datetime.now(UTC)


def _moved(file: Path) -> timedelta:
    """Read again only when the file has changed."""
    global _ahead
    try:
        changed_at = file.stat().st_mtime_ns
    except FileNotFoundError:
        return timedelta()
    if changed_at != _ahead[0]:
        _ahead = changed_at, ahead(file)
    return _ahead[1]
