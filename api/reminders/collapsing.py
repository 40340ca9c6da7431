"""What makes a later message take the place of an earlier one on a phone, and what an app may show by itself.

The server is the sender. An app that shows a planned reminder locally, for want of a push, shows it under the entry's
collapse id, and a push under the same id replaces it (APNs allows 64 bytes for it).
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

# iOS keeps the 64 soonest local notifications and drops the rest without a word (domain.md §4.8).
LOCAL_AHEAD = timedelta(days=7)


def of(row: Any) -> str:
    """The same for every revision of a session and lead, for all changes of a session, and for a check-in's day: 32
    hexadecimal digits, from ids that are known to nobody but the patient."""
    if row.session_id is None:
        about = f"{row.instrument}:{row.opens_on.isoformat()}"
    else:
        about = f"{row.session_id}:{row.lead or 'change'}"
    return hashlib.blake2b(f"{row.patient_id}:{about}".encode(), digest_size=16).hexdigest()


def may_show_locally(row: Any, *, at: datetime) -> bool:
    """Whether an app may show the entry by itself: planned for the next days, and heard like any other."""
    return row.state == "planned" and not row.silent and row.due_at <= at + LOCAL_AHEAD
