"""Care sessions: when a patient meets the clinic, and whether they did.

A *series* is a weekly rule in local wall time; each of its meetings is a *session* in UTC, made some weeks ahead. A
session moves or is cancelled on its own, and a later change to the series leaves such a session as it is. What has
begun is never rescheduled.

An *attendance* is one patient's place in one session, and the only way a patient sees it: nothing about a session
tells of the others in it. It holds three facts side by side that never overwrite each other: the patient's *reply*,
the patient's *arrival* ("I am here"), and the clinic's *mark* (present, absent, excused, and how many minutes).

A *member* has a place in every coming session of a series from the day of joining to the day of leaving.
"""
