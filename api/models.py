"""Every slice's tables, imported for Alembic."""

from api import audit, idempotency
from api.access import models as access
from api.patients import models as patients

__all__ = ["access", "audit", "idempotency", "patients"]
