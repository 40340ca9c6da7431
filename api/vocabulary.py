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
    "account:read",
    "account:write",
    "privacy:read",
    "privacy:write",
)
PARTNER_SCOPES = ("capacity:read", "referrals:read", "referrals:write", "webhooks:manage")
CLINIC_SCOPES = (
    "catalogue:read",
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
    "capacity:write",
    "referrals:read",
    "referrals:write",
    "privacy:read",
    "privacy:write",
    "audit:read",
    "tokens:introspect",
)
SCOPES = {"patient": PATIENT_SCOPES, "partner": PARTNER_SCOPES, "clinic": CLINIC_SCOPES}

# Whose rules a partner lives by, verified by the clinic; and what a consent can release to it (42 CFR 2.31(a)(3)).
PARTNER_KINDS = ("treating_provider", "criminal_justice", "other")
DISCLOSURE_CATEGORIES = ("presence", "level_of_care", "attendance", "progress", "referral_outcome")

# Consents: on whose terms (42 CFR 2.31 or 2.35), what for, until what, how they were signed and taken back.
CONSENT_TERMS = ("usual", "criminal_justice")
CONSENT_PURPOSES = ("treatment", "patient_request", "criminal_justice")
# What may be asked for and is refused with its reason (42 CFR 2.31(b), (d)).
CATEGORIES_REFUSED = ("counseling_notes", "check_in_answers")
PURPOSES_REFUSED = ("legal_proceedings",)
RECIPIENT_CLASSES = ("treating_providers",)
CONSENT_EVENTS = ("end_of_treatment", "final_disposition")
CONSENT_REVOCABLE = ("any_time", "from_date", "from_final_disposition")
CONSENT_SIGNED_HOW = ("app", "paper")
CONSENT_SIGNERS = ("patient", "authorized_person")
CONSENT_REVOKED_HOW = ("app", "writing", "phone", "in_person")
# What a consent has come to when it is read; why the clinic ended one.
CONSENT_STATES = ("effective", "revoked", "expired", "ended")
CONSENT_ENDED_BECAUSE = ("event_came_about", "deficient")
# On what a disclosure rests: a consent, an emergency (42 CFR 2.51), or what the clinic did elsewhere, as on paper.
DISCLOSURE_BASES = ("consent", "emergency", "elsewhere")
# What a patient asked not to be told on (42 CFR 2.26): the clinic ends it, the patient withdraws it.
RESTRICTION_STATUSES = ("requested", "agreed", "declined", "ended", "withdrawn")

# Webhooks: what an endpoint can be told of, what we tell it of itself, and what became of both.
WEBHOOK_EVENTS = ("referral.received", "referral.updated")
WEBHOOK_TYPES = (*WEBHOOK_EVENTS, "endpoint.test", "endpoint.verification")
WEBHOOK_STATUSES = ("pending", "active", "disabled")
WEBHOOK_DISABLED_REASONS = ("gone", "failing")
WEBHOOK_DELIVERY_STATES = ("pending", "delivered", "failed", "dropped")

# Referrals: who sent one, how the person may be reached, how it stands (HL7 Task as the Gravity guide has it, without
# the states before it arrives) and what is nearest to it in this clinic's work.
REFERRAL_ORIGINS = ("partner", "self")
REFERRAL_URGENCIES = ("routine", "soon")
CONTACT_PREFERENCES = ("may_contact", "through_partner", "do_not_contact")
REFERRAL_STATES = (
    *("received", "accepted", "rejected", "in_progress", "on_hold"),
    *("completed", "failed", "cancelled", "entered_in_error"),
)
REFERRAL_WITHDRAWALS = ("cancelled", "entered_in_error")
REFERRAL_SUB_STATUSES = (
    *("received", "contact_attempted", "unable_to_reach", "waitlisted", "assessment_scheduled"),
    *("assessment_no_show", "admitted", "declined_by_patient", "not_eligible", "at_capacity", "closed"),
)
# What an event of a referral tells of: the first four are its sender's own acts.
REFERRAL_ACTS = (
    *("sent", "amended", "document_sent", "withdrawn"),
    *("claimed", "released", "moved", "linked", "document_verified", "withdrawal_noted", "overdue"),
)
REFERRAL_ACTORS = ("partner", "self", "clinic")
# What the clinic can decide of one, beside admitting.
TRIAGE_DECISIONS = (
    *("accept", "contact_attempted", "unable_to_reach", "waitlist", "schedule_assessment", "assessment_no_show"),
    *("proceed", "hold", "reject", "fail", "cancel", "close"),
)

# How strongly a patient proved who they are, weakest first (NIST SP 800-63B-4 §2; `phr` is phishing-resistant, as
# OpenID EAP has it). The strong ones open what needs a fresh sign-in.
ACRS = ("urn:continuum:acr:aal1", "urn:continuum:acr:aal2", "phr")
STRONG_ACRS = ACRS[1:]
# Why an app session ended. After those of REVOKED the phone is no longer trusted with what it holds: the app wipes it.
REVOKED = (
    "revoked",
    "signed_out_everywhere",
    "token_reused",
    "recovered",
    "authenticator_removed",
    "deceased",
    "merged",
)
END_REASONS = ("signed_out", "expired", "suspended", "replaced", *REVOKED)
HANDED_OVER = ("in_person", "post", "email", "sms")

RETRIES = ("never", "later", "after_refresh", "after_sign_in")

# Programs: words of the catalogue that may grow; a length belongs to the frequency at the same place.
LEVELS_OF_CARE = ("detox", "inpatient", "partial_hospitalization", "intensive_outpatient", "outpatient")
QUALIFIERS = ("about", "often", "typically", "usually")
FREQUENCY_UNITS = ("days_per_week", "sessions_per_week")
LENGTH_UNITS = ("minutes_per_day", "minutes_per_session")
TRACKS = ("day", "evening")

# Whether somebody new can start, as the clinic says it; readers are told more than that.
CAPACITIES = ("open", "waitlist", "full", "assess_first")
CAPACITIES_SHOWN = (*CAPACITIES, "call_us", "closed")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# Sessions: an arrival outside the window is kept, and is no attendance.
SESSION_KINDS = ("group", "individual")
SESSION_STATUSES = ("scheduled", "cancelled")
SESSION_REPLIES = ("attending", "not_attending")
MODALITIES = ("in_person", "telehealth", "hybrid")
ARRIVAL_PLACEMENTS = ("in_window", "outside_window")
ARRIVAL_WAYS = ("checked_in", "joined")
ATTENDANCE_MARKS = ("present", "absent", "excused")
# What a place comes to, and whose word that rests on.
PRESENCES = ("expected", "attested", "attended", "missed", "excused")
PRESENCE_RESTS_ON = ("clinic", "patient", "nothing")

# What a calendar feed calls an appointment.
FEED_TITLES = ("neutral", "labels")

# Staff: a task closes by being completed, or because its cause is gone.
ALERT_STATUSES = ("open", "acknowledged")
NOTICE_OUTCOMES = ("accepted", "failed")
TASK_STATUSES = ("open", "claimed", "completed", "cause_gone")
TASK_CAUSES = (
    *("outreach", "request_to_move", "score_to_look_at", "undeliverable_messages", "overdue_referral"),
    "restriction_asked",
)

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

# Reminders: a lead is how long before an appointment it is said; a change and a check-in have none. A topic is what a
# patient may turn off.
REMINDER_SUBJECTS = ("session", "check_in")
REMINDER_TOPICS = ("sessions", "changes", "check_ins")
REMINDER_KINDS = ("appointment", "moved", "cancelled", "restored", "check_in")
REMINDER_LEADS = ("hours_72", "hours_24", "evening_before", "hours_2")
REMINDER_STATES = ("planned", "held", "sent", "not_sent")
REMINDER_CHANNELS = ("push", "sms", "email")
REMINDER_REASONS = (
    *("on_time", "before_quiet_hours", "after_quiet_hours", "after_another", "silent_change"),
    *("merged", "digest", "past", "quiet_hours", "session_cancelled", "session_changed", "not_in_session"),
    *("not_attending", "not_enrolled", "enrollment_paused", "account_not_active", "paused_by_patient", "no_channel"),
    *("kind_off", "check_in_sent", "not_wanted"),
    *("too_late", "refused", "undeliverable", "no_address", "sms_cap"),
)
# Why a message did not arrive: what its carrier said at once, or reported later.
DELIVERY_PROBLEMS = ("retry", "refused", "dead", "misconfigured", "failed", "not_carried")
# What an app tells of a reminder that it showed.
RECEIPT_EVENTS = ("delivered", "opened", "dismissed")

# Push: who carries it, and whether an app is the released one.
PUSH_PROVIDERS = ("apns", "fcm", "web_push")
PUSH_ENVIRONMENTS = ("production", "sandbox")

# Numbers and mail addresses: who set them, why nothing goes there, and what became of consents to texts.
CONTACT_SETTERS = ("patient", "clinic")
CONTACT_OFF_REASONS = ("stopped", "wrong_number", "undeliverable")
CONTACT_WHY_OFF = ("not_set", "not_confirmed", "no_consent", *CONTACT_OFF_REASONS)
CONSENT_GIVEN_BY = ("app", "text")
CONSENT_END_REASONS = ("replaced", "removed", *CONTACT_OFF_REASONS)

# Enrollments: what may be about them, what is recorded about them, and the clinic's own reasons.
ENROLLMENT_FOCUSES = ("substance_use", "mental_health")
ENROLLMENT_STATUSES = ("active", "paused", "ended", "entered_in_error")
ENROLLMENT_EVENTS = ("started", "paused", "resumed", "ended", "corrected")
TRANSITIONS = ("step_up", "step_down", "pause", "resume", "discharge", "correct")
TRANSITION_REASONS = (
    "completed",
    "stepped_down",
    "stepped_up",
    "transferred",
    "left_against_advice",
    "administrative",
    "lost_to_follow_up",
    "incarcerated",
    "deceased",
    "medical",
    "personal",
    "entered_in_error",
)
CHANGE_KINDS = ("session", "reminder", "check_in")
# What the delta sync tells of; more may come.
SYNCED_KINDS = (
    *("session", "enrollment", "reminder", "check_in", "profile", "reminder_preferences"),
    *("consent", "restriction_request", "notice_acknowledgement", "phone", "email", "calendar_feeds"),
)
CHANGE_ACTIONS = ("added", "removed", "moved", "held", "released")
