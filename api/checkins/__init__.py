"""Recovery check-ins: what a patient reports about themselves, and what the house does about it.

Not to be confused with arriving at a session (`sessions`). What holds here:

- An answer is self-reported and unreviewed until somebody at the clinic reviews it.
- Answers are kept as they were given, with the version of the instrument that asked. Late, partial, outside a
  window, from an older version or after discharge: stored and flagged, never lost.
- A safety answer writes an alert, whatever else becomes of the request that carried it.
- Patients see their number; bands are for staff. Crisis help stands beside every instrument and every answer.
"""
