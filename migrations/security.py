"""What migrations say again and again about who may see a table, as plain SQL.

One role per kind of caller, each with a policy of its own: policies of several kinds OR-ed on one role lose
their indexes. The owner gets a policy too, or its data migrations would silently change no rows under FORCE.
"""

from typing import Any

KINDS = {
    "patient": "continuum_app",
    "clinic": "continuum_clinic",
    "partner": "continuum_partner",
    "worker": "continuum_worker",
    "gate": "continuum_gate",
    "holder": "continuum_holder",
}
OWN_PATIENT = "(SELECT nullif(current_setting('app.patient_id', true), '')::uuid)"
OWN_CLIENT = "(SELECT nullif(current_setting('app.client_id', true), '')::uuid)"


def grant(op: Any, table: str, **rights: str) -> None:
    """Grant each kind of caller its rights, such as `clinic="SELECT, INSERT"`, on a table without personal data."""
    for kind, what in rights.items():
        op.execute(f"GRANT {what} ON {table} TO {KINDS[kind]}")


def protect(op: Any, table: str, *, own: str = f"patient_id = {OWN_PATIENT}", **rights: str) -> None:
    """Close `table` by row-level security and open it to each kind in `rights`.

    Patients reach the rows for which `own` holds (SQL over the table's columns; patient_id by default), other
    kinds all rows, each only with the rights named. A partner's rows are its own: pass `partner_own`.
    """
    partner_own = rights.pop("partner_own", "false")
    conditions = {"patient": own, "partner": partner_own}
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    for kind, what in rights.items():
        condition = conditions.get(kind, "true")
        op.execute(f"CREATE POLICY {kind} ON {table} TO {KINDS[kind]} USING ({condition}) WITH CHECK ({condition})")
        op.execute(f"GRANT {what} ON {table} TO {KINDS[kind]}")
