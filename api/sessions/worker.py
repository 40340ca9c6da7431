"""The worker's part: series reach as far ahead as they should, and nobody is asked to move what has begun."""

from api import clock, db
from api.observe import log
from api.sessions import calendar, moving, series

EVERY_SECONDS = 3600


def run() -> bool:
    """Extend what runs short, a transaction for each series: its members wait for no other one, and one that fails
    stops none."""
    with db.transaction(db.WORKER):
        short = calendar.running_short(at=clock.now())
    for series_id in short:
        try:
            with db.transaction(db.WORKER):
                series.extend(series_id=series_id, at=clock.now())
        except Exception as trouble:
            log.error("series not extended", error=type(trouble).__name__)
    return False


def close_begun() -> bool:
    """Close the requests to move sessions that have begun meanwhile."""
    with db.transaction(db.WORKER):
        moving.look_again(at=clock.now())
    return False
