"""Every slice's tables, imported for Alembic."""

from api import audit, dpop, idempotency
from api.access import models as access
from api.checkins import models as checkins
from api.enrollments import models as enrollments
from api.messages import models as messages
from api.patients import models as patients
from api.privacy import models as privacy
from api.programs import models as programs
from api.referrals import models as referrals
from api.reminders import models as reminders
from api.sessions import models as sessions
from api.staff import models as staff
from api.webhooks import models as webhooks

__all__ = [
    "access",
    "audit",
    "checkins",
    "dpop",
    "enrollments",
    "idempotency",
    "messages",
    "patients",
    "privacy",
    "programs",
    "referrals",
    "reminders",
    "sessions",
    "staff",
    "webhooks",
]
