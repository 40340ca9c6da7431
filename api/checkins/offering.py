"""Which instruments are offered at all."""

from api.checkins import instruments
from api.checkins.instruments.model import Instrument
from api.staff import duty


def offered() -> list[Instrument]:
    """The current versions that may be asked, in the order of the registry."""
    return [one for one in instruments.CURRENT.values() if is_offered(one)]


def is_offered(instrument: Instrument) -> bool:
    """Nobody is asked whether they are safe while there is nobody to tell of the answer (development excepted)."""
    return duty.safety_items_may_be_offered() or not instrument.asks_about_safety()
