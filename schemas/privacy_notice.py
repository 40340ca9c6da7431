"""The privacy notice (42 CFR 2.22), and that a patient has seen it."""

from schemas.base import Answer, Ask, Day, Instant, Items, Text, Word

LANGUAGES = ("en", "es")


class NoticeSectionAnswer(Answer):
    heading = Text(max=200, required=True)
    text = Text(max=4000, required=True)

    example = {"heading": "Complaints", "text": "If you believe that your rights were violated you can complain …"}


class PrivacyNoticeAnswer(Answer):
    """The notice in the version of now. `header` is to be shown before the sections, and stands out."""

    version = Text(max=60, required=True)
    effective_on = Day(required=True)
    language = Word(LANGUAGES, required=True)
    title = Text(max=300, required=True)
    header = Text(max=2000, required=True)
    sections = Items(NoticeSectionAnswer, required=True)

    example = {
        "version": "notice-1",
        "effective_on": "2026-11-01",
        "language": "en",
        "title": "Notice of Privacy Practices of Trinity Wellness Group",
        "header": "This notice describes how health information about you may be used and disclosed …",
        "sections": [NoticeSectionAnswer.example],
    }


class NoticeAcknowledgementAsk(Ask):
    """The version that was shown."""

    version = Text(max=60, required=True)

    example = {"version": "notice-1"}


class NoticeAcknowledgementAnswer(Answer):
    """This version was seen; the first time counts."""

    version = Text(max=60, required=True, attribute="notice_version")
    acknowledged_at = Instant(required=True)

    example = {"version": "notice-1", "acknowledged_at": "2026-11-23T15:00:00Z"}


class NoticeAcknowledgementsAnswer(Answer):
    """The versions that the patient has seen, the latest first."""

    items = Items(NoticeAcknowledgementAnswer, required=True)

    example = {"items": [NoticeAcknowledgementAnswer.example]}
