"""What a phone says about time: its clock may be wrong, and what it sends may come late."""

from datetime import datetime


def occurred(claimed: datetime | None, *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """When something happened by our clock, in whole seconds and never later than it was received.

    ``claimed`` and ``sent_at`` are readings of the phone's clock; what lies between them is true even where the clock
    is wrong, so it is counted back from the moment of receipt. Without ``sent_at`` the phone's clock is believed.
    """
    if claimed is None:
        return received_at
    by_ours = claimed if sent_at is None else received_at - (sent_at - claimed)
    return min(by_ours, received_at).replace(microsecond=0)
