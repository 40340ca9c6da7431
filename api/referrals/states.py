"""How a referral stands, and who may have it stand otherwise: pure rules, no rows.

The states and who sets them are those of the Gravity project's closed loop (HL7 SDOH Clinical Care, Task), begun at
`received`: earlier ones exist only at the sender. The sub-states are this field's own. `/v1` answers a step that is
not allowed with 409 and names the state as its caller sees it.
"""

from collections.abc import Mapping

from api import errors, vocabulary

REQUESTER, CLINIC = "requester", "clinic"
ACTORS = (REQUESTER, CLINIC)
OPEN = ("received", "accepted", "in_progress", "on_hold")
ENDED = tuple(state for state in vocabulary.REFERRAL_STATES if state not in OPEN)

_BY_CLINIC: Mapping[str, tuple[str, ...]] = {
    "received": ("accepted", "rejected", "cancelled"),
    "accepted": ("in_progress", "cancelled"),
    "in_progress": ("on_hold", "completed", "failed", "cancelled"),
    "on_hold": ("in_progress", "cancelled"),
}
_BY_REQUESTER: Mapping[str, tuple[str, ...]] = {
    state: (
        *(("cancelled",) if state in OPEN else ()),
        *(("entered_in_error",) if state != "entered_in_error" else ()),
    )
    for state in vocabulary.REFERRAL_STATES
}
STEPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {REQUESTER: _BY_REQUESTER, CLINIC: _BY_CLINIC}

# Task.statusReason is required here (Gravity), so that nobody is left to guess.
WITH_REASON = ("rejected", "cancelled", "on_hold", "failed")
SUB_STATUSES: Mapping[str, tuple[str, ...]] = {
    "received": ("received", "contact_attempted", "unable_to_reach"),
    "accepted": ("contact_attempted", "unable_to_reach", "waitlisted", "assessment_scheduled", "assessment_no_show"),
    "in_progress": ("contact_attempted", "assessment_scheduled", "assessment_no_show", "admitted"),
    "on_hold": ("unable_to_reach", "waitlisted", "assessment_no_show", "at_capacity"),
    "rejected": ("declined_by_patient", "not_eligible", "at_capacity", "unable_to_reach", "closed"),
    "completed": ("admitted", "closed"),
    "failed": ("declined_by_patient", "not_eligible", "unable_to_reach", "assessment_no_show", "at_capacity", "closed"),
    "cancelled": ("declined_by_patient", "unable_to_reach", "closed"),
    "entered_in_error": ("closed",),
}


class StepNotAllowed(errors.Conflict):
    """`state` is how the referral stands as far as the caller may see it. Where a consent let a partner see it,
    `notice` and `scope` go along (42 CFR 2.32)."""

    slug = "referral-step-not-allowed"
    title = "This referral is no longer at that point"
    detail = "This step does not follow from how the referral stands now; `state` says how."
    title_es = "Esta derivación ya no está en ese punto"
    detail_es = "Este paso no corresponde al estado actual de la derivación; `state` indica cuál es."
    retry = "after_refresh"


class ReasonMissing(errors.Invalid):
    slug = "referral-reason-missing"
    title = "This step needs a reason"
    detail = "Say in words why: whoever waits for this referral must not be left to guess."
    title_es = "Este paso necesita un motivo"
    detail_es = "Indique el motivo con palabras: quien espera esta derivación no debe quedarse adivinando."


class SubStatusDoesNotFit(errors.Invalid):
    slug = "referral-sub-status-does-not-fit"
    title = "The sub-status does not fit the state"
    detail = "This sub-status does not go with that state; `errors` names those that do."
    title_es = "El subestado no corresponde al estado"
    detail_es = "Este subestado no corresponde a ese estado; `errors` nombra los que sí."


def next_states(state: str, *, actor: str) -> tuple[str, ...]:
    """What `actor` may set it to from `state`."""
    return STEPS[actor].get(state, ())


def refuse_step(state: str, to: str, *, actor: str) -> None:
    """Raises `StepNotAllowed`, naming `state`, unless `actor` may go from there to `to`."""
    if to not in next_states(state, actor=actor):
        raise StepNotAllowed(extra={"state": state})


def refuse_change_within(state: str) -> None:
    """Raises `StepNotAllowed` unless a sub-status may still change while the state stays: only before an end."""
    if state not in OPEN:
        raise StepNotAllowed(extra={"state": state})


def refuse_without_reason(to: str, reason: str | None) -> None:
    """Raises `ReasonMissing` where the state needs one."""
    if to in WITH_REASON and not (reason or "").strip():
        raise ReasonMissing([("/reason", "Is required for this state.")])


def refuse_unfit(to: str, sub_status: str | None) -> None:
    """Raises `SubStatusDoesNotFit`; none at all always fits."""
    if sub_status is not None and sub_status not in SUB_STATUSES[to]:
        raise SubStatusDoesNotFit([("/sub_status", f"Must be one of: {', '.join(SUB_STATUSES[to])}.")])
