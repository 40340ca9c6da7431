"""Closed word lists that several rooms share. A word means the same wherever it stands.

Scopes are granted per kind of caller: a patient's token can hold patient scopes only, and so on.
"""

LANGUAGES = ("en", "es")

PATIENT_SCOPES = (
    "me:read",
    "me:write",
    "enrollment:read",
    "sessions:read",
    "sessions:write",
    "reminders:read",
    "reminders:write",
    "checkins:read",
    "checkins:write",
)
PARTNER_SCOPES = ("capacity:read",)
CLINIC_SCOPES = (
    "catalogue:write",
    "patients:read",
    "patients:write",
    "enrollments:read",
    "enrollments:write",
    "schedule:read",
    "schedule:write",
    "attendance:write",
    "checkins:read",
    "checkins:review",
    "alerts:read",
    "alerts:write",
    "tasks:read",
    "tasks:write",
    "audit:read",
)
SCOPES = {"patient": PATIENT_SCOPES, "partner": PARTNER_SCOPES, "clinic": CLINIC_SCOPES}

RETRIES = ("never", "later", "after_refresh", "after_sign_in")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# Sessions: an arrival outside the window is kept, and is no attendance.
SESSION_KINDS = ("group", "individual")
SESSION_STATUSES = ("scheduled", "cancelled")
SESSION_REPLIES = ("attending", "not_attending")
MODALITIES = ("in_person", "telehealth", "hybrid")
ARRIVAL_PLACEMENTS = ("in_window", "outside_window")
ATTENDANCE_MARKS = ("present", "absent", "excused")

# Staff: a task closes by being completed, or because its cause is gone.
ALERT_STATUSES = ("open", "acknowledged")
NOTICE_OUTCOMES = ("accepted", "failed")
TASK_STATUSES = ("open", "claimed", "completed", "cause_gone")
TASK_CAUSES = ("outreach", "request_to_move", "score_to_look_at", "undeliverable_messages", "overdue_referral")

# Check-ins: what the clinic may want to know about how an answer came in; none of them is a reason to refuse it.
CHECK_IN_FLAGS = (
    "partial",
    "late",
    "outside_window",
    "older_version",
    "after_discharge",
    "switched_off",
    "clock_corrected",
    "refused",
)
CHECK_IN_STATES = ("start", "overdue")
