"""The audit as the clinic reads it: who did what, to whose record, on whose behalf. Ids and kinds, never values."""

from schemas.base import Answer, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word

ACTIONS = ("read", "create", "update", "delete", "override")
OUTCOMES = ("done", "refused")
CALLER_KINDS = ("patient", "partner", "clinic", "worker", "public")


class AuditEventAnswer(Answer):
    """One act. `operation` is the contract's, or a job's or command's name; `problem` says why it was refused. With
    `times`, it stands for as many further refusals of one minute. `sealed` is its position in the hash chain."""

    id = Id(required=True)
    recorded_at = Instant(required=True)
    caller_kind = Word(CALLER_KINDS, required=True)
    client_id = Id(metadata={"description": "The system that asked."})
    app_session_id = Id(metadata={"description": "The signed-in phone that asked."})
    acting_user = Text(max=255, metadata={"description": "The person at the clinic for whom a system asked."})
    acting_role = Text(max=255)
    patient_external_id = Text(max=100, metadata={"description": "Whose record, by the record system's own id."})
    action = Word(ACTIONS, required=True)
    operation = Text(max=100, required=True)
    resource_id = Id()
    outcome = Word(OUTCOMES, required=True)
    problem = Text(max=100)
    request_id = Text(max=64)
    times = Whole(min=1, max=2_147_483_647)
    sealed = Whole(min=1, max=2**53 - 1)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e51",
        "recorded_at": "2026-11-23T15:00:00Z",
        "caller_kind": "clinic",
        "client_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e52",
        "acting_user": "u-17",
        "acting_role": "counselor",
        "patient_external_id": "EHR-100234",
        "action": "read",
        "operation": "getPatient",
        "outcome": "done",
        "request_id": "5f2b6a0c9d1e4f37",
        "sealed": 1204,
    }


class AuditQuery(PageQuery):
    """A window over when it was recorded, at the database's clock; without it, everything."""

    since = Instant(data_key="from", load_default=None, metadata={"description": "Recorded then or later."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Recorded before then."})
    patient_external_id = Text(max=100, load_default=None, metadata={"description": "Only about this patient."})
    operation = Text(max=100, load_default=None, metadata={"description": "Only this operation."})
    outcome = Word(OUTCOMES, load_default=None, metadata={"description": "Only what was done, or refused."})

    example = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z", "operation": "getPatient"}


class AuditListAnswer(ListAnswer):
    """Acts, newest first."""

    items = Items(AuditEventAnswer, max=100, required=True)

    example = {"items": [AuditEventAnswer.example]}
