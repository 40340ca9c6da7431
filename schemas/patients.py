"""Who the app serves, and what the patient chose."""

from schemas.base import Answer, Ask, Id, Instant, Text, Whole, Word, Zone

LANGUAGES = ("en", "es")
STATUSES = ("active", "suspended", "deceased", "merged")


class MeAnswer(Answer):
    """Whom the app serves. `time_zone` is the patient's, or the clinic's until the app sets one."""

    id = Id(required=True)
    preferred_name = Text(max=200, metadata={"description": "How the person likes to be called; absent if not told."})
    language = Word(LANGUAGES, required=True)
    time_zone = Zone(required=True)
    server_time = Instant(required=True)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
        "preferred_name": "Sam",
        "language": "en",
        "time_zone": "America/New_York",
        "server_time": "2026-11-23T15:00:00Z",
    }


class PreferencesAsk(Ask):
    """The patient's whole choice: what is absent goes back to the clinic's default."""

    language = Word(LANGUAGES)
    time_zone = Zone()
    discreet_label = Text(
        max=60, metadata={"description": "What calendars and notices may say instead of anything telling."}
    )

    example = {"language": "es", "time_zone": "America/New_York", "discreet_label": "Errand"}


class PreferencesAnswer(Answer):
    """What was chosen; what was not is absent. `effective_time_zone` is the one in force."""

    language = Word(LANGUAGES)
    time_zone = Zone()
    discreet_label = Text(max=60)
    effective_time_zone = Zone(required=True)

    example = {
        "language": "es",
        "time_zone": "America/New_York",
        "discreet_label": "Errand",
        "effective_time_zone": "America/New_York",
    }


class PatientAsk(Ask):
    """What the record system knows; absent members are left as they are."""

    preferred_name = Text(max=200)
    language = Word(LANGUAGES)

    example = {"preferred_name": "Sam", "language": "en"}


class PatientStatusAsk(Ask):
    """`suspended` ends sign-ins and reminders until `active` again; `deceased` and `merged` for good."""

    status = Word(STATUSES, required=True)

    example = {"status": "suspended"}


class PatientAnswer(Answer):
    """A patient as the clinic's systems see one."""

    id = Id(required=True)
    external_id = Text(max=100, required=True)
    status = Word(STATUSES, required=True)
    preferred_name = Text(max=200)
    language = Word(LANGUAGES)
    created_at = Instant(required=True)
    version = Whole(min=1, max=2**53 - 1, required=True)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
        "external_id": "EHR-100234",
        "status": "active",
        "preferred_name": "Sam",
        "language": "en",
        "created_at": "2026-11-23T15:00:00Z",
        "version": 3,
    }
