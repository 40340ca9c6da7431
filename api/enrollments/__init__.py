"""Enrollments: which program a patient is placed in, since when, and everything that was ever recorded about it.

An *enrollment* is one stay in one program, from `starts_at` until just before `ended_at`. A step up or down ends
one and starts the next at the same instant. It may be *paused* in between. What holds here:

- Placement is the clinic's decision. Nothing is computed from answers, attendance or weeks.
- At most one enrollment holds at any instant; the database refuses a second one, whoever writes.
- Every decision is a fact of its own that is never changed. A correction takes the latest fact back by a further
  one; what was recorded by mistake stays on record, and stays out of what the patient sees.
- A placement may begin ahead of time, because its dates say so by themselves. A transition is recorded when it
  takes effect or afterwards, never ahead.
- Reason codes are the clinic's. Patients see levels, dates and plain words.
"""
