"""Who may do what, kept by hand: one line for every operation. The contract and the running server are held to it.

A further line is a decision. `fresh`: the patient must have proved a moment ago who they are. `whose`: the address
names a thing of one patient, which is not there for any other; `own`: a thing of one partner.
"""

from dataclasses import dataclass

from tests.matrix.callers import Caller


@dataclass(frozen=True)
class Right:
    """`kind`: whose door it is. For OAuth's forms, `said` is the code that each party hears; None is a success."""

    kind: str
    scope: str | None = None  # several with a space between
    fresh: bool = False
    whose: bool = False
    own: bool = False
    said: tuple[tuple[str, str | None], ...] = ()


def public() -> Right:
    return Right("public")


def patient(scope: str, *, fresh: bool = False, whose: bool = False) -> Right:
    return Right("patient", scope, fresh, whose)


def partner(scope: str, *, own: bool = False) -> Right:
    return Right("partner", scope, own=own)


def clinic(scope: str) -> Right:
    return Right("clinic", scope)


def form(**said: str | None) -> Right:
    """What a form is answered to a `stranger`, a `phone` of ours, a `system` and a `suspended` one."""
    return Right("oauth", said=tuple(said.items()))


RIGHTS: dict[str, Right] = {
    # Anybody
    "listPrograms": public(),
    "getProgram": public(),
    "comparePrograms": public(),
    "listLocations": public(),
    "getLocation": public(),
    "getAppConfig": public(),
    "listInstruments": public(),
    "getInstrument": public(),
    "requestReferral": public(),
    "getPrivacyNotice": public(),
    # Who a form is from, the form itself proves: a token beside it changes nothing
    "authorizeChallenge": form(
        stranger="insufficient_authorization",
        phone="insufficient_authorization",
        system="unauthorized_client",
        suspended="unauthorized_client",
    ),
    "requestToken": form(stranger="invalid_client", phone=None, system=None, suspended="invalid_client"),
    "revokeToken": form(stranger="invalid_client", phone=None, system=None, suspended="invalid_client"),
    "introspectToken": form(stranger="invalid_client", phone="invalid_client", system=None, suspended="invalid_client"),
    # Patients, each their own
    "getMe": patient("me:read"),
    "getMyPreferences": patient("me:read"),
    "putMyPreferences": patient("me:write"),
    "getMyToday": patient("me:read enrollment:read sessions:read checkins:read"),
    "listMyChanges": patient("me:read"),
    "getMyEnrollment": patient("enrollment:read"),
    "listMyEnrollments": patient("enrollment:read"),
    "getMyProgress": patient("enrollment:read"),
    "listMyCalendarFeeds": patient("sessions:read"),
    "createMyCalendarFeed": patient("sessions:write"),
    "deleteMyCalendarFeed": patient("sessions:write", whose=True),
    "listMySessions": patient("sessions:read"),
    "getMySession": patient("sessions:read", whose=True),
    "putMySessionReply": patient("sessions:write", whose=True),
    "checkInToMySession": patient("sessions:write", whose=True),
    "joinMySession": patient("sessions:write", whose=True),
    "listMyMakeUpSessions": patient("sessions:read", whose=True),
    "bookMyMakeUpSession": patient("sessions:write", whose=True),
    "listMyReminders": patient("reminders:read"),
    "getMyReminderPreferences": patient("reminders:read"),
    "putMyReminderPreferences": patient("reminders:write"),
    "submitCheckIn": patient("checkins:write"),
    "listMyCheckIns": patient("checkins:read"),
    "listMyDueCheckIns": patient("checkins:read"),
    "getMyCheckInTrends": patient("checkins:read"),
    "getMyCheckIn": patient("checkins:read", whose=True),
    "recordMyReminderReceipt": patient("reminders:write", whose=True),
    "listMyDevices": patient("account:read"),
    "registerMyDevice": patient("account:write"),
    "deleteMyDevice": patient("account:write", whose=True),
    "listMyAppSessions": patient("account:read"),
    "deleteMyAppSessions": patient("account:write"),
    "deleteMyAppSession": patient("account:write", whose=True),
    "listMyPasskeys": patient("account:read"),
    "offerMyPasskey": patient("account:write", fresh=True),
    "createMyPasskey": patient("account:write", fresh=True),
    "deleteMyPasskey": patient("account:write", fresh=True, whose=True),
    "putMyPassword": patient("account:write", fresh=True),
    "offerMyTotp": patient("account:write", fresh=True),
    "putMyTotp": patient("account:write", fresh=True),
    "getMyPhone": patient("me:read"),
    "putMyPhone": patient("me:write"),
    "deleteMyPhone": patient("me:write"),
    "confirmMyPhone": patient("me:write"),
    "consentToTexts": patient("me:write"),
    "getMyEmail": patient("me:read"),
    "putMyEmail": patient("me:write"),
    "deleteMyEmail": patient("me:write"),
    "confirmMyEmail": patient("me:write"),
    "listConsentRecipients": patient("privacy:read"),
    "previewMyConsent": patient("privacy:read"),
    "giveMyConsent": patient("privacy:write", fresh=True),
    "listMyConsents": patient("privacy:read"),
    "getMyConsent": patient("privacy:read", whose=True),
    "getMyConsentDocument": patient("privacy:read", whose=True),
    "revokeMyConsent": patient("privacy:write", whose=True),
    "listMyRestrictions": patient("privacy:read"),
    "askForMyRestriction": patient("privacy:write"),
    "withdrawMyRestriction": patient("privacy:write", whose=True, fresh=True),
    "listMyNoticeAcknowledgements": patient("privacy:read"),
    "acknowledgePrivacyNotice": patient("privacy:write"),
    "listMyDisclosures": patient("privacy:read"),
    "getMyAccessLog": patient("privacy:read"),
    # The clinic's own systems
    "previewConsent": clinic("privacy:read"),
    "recordConsent": clinic("privacy:write"),
    "listConsents": clinic("privacy:read"),
    "recordRevocation": clinic("privacy:write"),
    "endConsent": clinic("privacy:write"),
    "listRestrictions": clinic("privacy:read"),
    "answerRestriction": clinic("privacy:write"),
    "endRestriction": clinic("privacy:write"),
    "recordDisclosure": clinic("privacy:write"),
    "listDisclosures": clinic("privacy:read"),
    "getPatientPhone": clinic("patients:read"),
    "putPatientPhone": clinic("patients:write"),
    "deletePatientPhone": clinic("patients:write"),
    "getPatientEmail": clinic("patients:read"),
    "putPatientEmail": clinic("patients:write"),
    "deletePatientEmail": clinic("patients:write"),
    "getProgramRevision": clinic("catalogue:read"),
    "publishProgram": clinic("catalogue:write"),
    "addLocation": clinic("catalogue:write"),
    "getLocationToEdit": clinic("catalogue:read"),
    "changeLocation": clinic("catalogue:write"),
    "addClosure": clinic("catalogue:write"),
    "putCapacity": clinic("capacity:write"),
    "listStatedCapacity": clinic("catalogue:read"),
    "deleteClosure": clinic("catalogue:write"),
    "putPatient": clinic("patients:write"),
    "getPatient": clinic("patients:read"),
    "putPatientStatus": clinic("patients:write"),
    "listDeliveryProblems": clinic("patients:read"),
    "createActivationCode": clinic("patients:write"),
    "listAuditEvents": clinic("audit:read"),
    "createEnrollment": clinic("enrollments:write"),
    "listEnrollments": clinic("enrollments:read"),
    "createTransition": clinic("enrollments:write"),
    "createSessionSeries": clinic("schedule:write"),
    "listSessionSeries": clinic("schedule:read"),
    "getSessionSeries": clinic("schedule:read"),
    "putSessionSeries": clinic("schedule:write"),
    "listSeriesMembers": clinic("schedule:read"),
    "putSeriesMember": clinic("schedule:write"),
    "deleteSeriesMember": clinic("schedule:write"),
    "listSessions": clinic("schedule:read"),
    "getSession": clinic("schedule:read"),
    "putSession": clinic("schedule:write"),
    "getSessionRoster": clinic("schedule:read"),
    "putAttendance": clinic("attendance:write"),
    "getRoomCode": clinic("schedule:read"),
    "listTreatmentDose": clinic("schedule:read"),
    "listCheckIns": clinic("checkins:read"),
    "reviewCheckIn": clinic("checkins:review"),
    "listPatientInstruments": clinic("checkins:read"),
    "putPatientInstrument": clinic("checkins:review"),
    "getInstrumentSettings": clinic("checkins:read"),
    "putInstrumentSettings": clinic("catalogue:write"),
    "listAlerts": clinic("alerts:read"),
    "getAlert": clinic("alerts:read"),
    "acknowledgeAlert": clinic("alerts:write"),
    "listTasks": clinic("tasks:read"),
    "claimTask": clinic("tasks:write"),
    "listReferralsToTriage": clinic("referrals:read"),
    "getReferralToTriage": clinic("referrals:read"),
    "getReferralDocument": clinic("referrals:read"),
    "claimReferral": clinic("referrals:write"),
    "releaseReferral": clinic("referrals:write"),
    "decideReferral": clinic("referrals:write"),
    "noteReferralWithdrawal": clinic("referrals:write"),
    "linkReferral": clinic("referrals:write"),
    "admitReferral": clinic("referrals:write"),
    "verifyReferralDocument": clinic("referrals:write"),
    "completeTask": clinic("tasks:write"),
    # Partners: where somebody whom they would refer could start
    "listCapacity": partner("capacity:read"),
    # Partners: whom they sent here
    "createReferral": partner("referrals:write"),
    "listReferrals": partner("referrals:read"),
    "getReferral": partner("referrals:read", own=True),
    "amendReferral": partner("referrals:write", own=True),
    "cancelReferral": partner("referrals:write", own=True),
    "withdrawReferral": partner("referrals:write", own=True),
    "putReferralDocument": partner("referrals:write", own=True),
    # Partners: where they are told of what has changed
    "listWebhookEndpoints": partner("webhooks:manage"),
    "createWebhookEndpoint": partner("webhooks:manage"),
    "getWebhookEndpoint": partner("webhooks:manage", own=True),
    "putWebhookEndpoint": partner("webhooks:manage", own=True),
    "deleteWebhookEndpoint": partner("webhooks:manage", own=True),
    "verifyWebhookEndpoint": partner("webhooks:manage", own=True),
    "rotateWebhookSecret": partner("webhooks:manage", own=True),
    "testWebhookEndpoint": partner("webhooks:manage", own=True),
    "listWebhookDeliveries": partner("webhooks:manage", own=True),
    "redeliverWebhook": partner("webhooks:manage", own=True),
    "redeliverWebhooks": partner("webhooks:manage", own=True),
}


@dataclass(frozen=True)
class Outcome:
    """A status and the name of the problem or OAuth's code; without either, the caller is let in."""

    status: int | None = None
    problem: str | None = None


LET_IN = Outcome()


def outcome(right: Right, caller: Caller) -> Outcome:
    """What follows from the line for a caller; of forms, `heard` tells."""
    if right.kind == "public":
        return LET_IN
    if caller.kind != right.kind:
        return Outcome(401, caller.elsewhere)
    if caller.refused:
        return Outcome(401, caller.refused)
    if not caller.scoped:
        return Outcome(403, "insufficient-scope")
    if right.fresh and not caller.fresh:
        return Outcome(401, "step-up-required")
    return Outcome(404, "not-found") if (right.whose or right.own) and not caller.owner else LET_IN


def heard(right: Right, party: str) -> str | None:
    """The code that a form is answered to a party of OAuth's; None is a success."""
    return dict(right.said)[party]
