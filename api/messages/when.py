"""How an instant is said in a sentence: "tomorrow at 6:00 PM", "el lunes 8 de junio a las 6:00 p. m."."""

from datetime import datetime, timedelta, tzinfo

WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}
NEAR = {"en": ("today", "tomorrow"), "es": ("hoy", "mañana")}


def said(instant: datetime, *, zone: tzinfo, reader: tzinfo, at: datetime, language: str) -> str:
    """`instant` on the clocks of `zone`, as said at `at` to somebody who lives by `reader`'s.

    Where the two clocks differ then, the zone's abbreviation stands beside the time, and the date instead of
    "tomorrow", which the two might not share.
    """
    return " ".join(parts(instant, zone=zone, reader=reader, at=at, language=language))


def parts(instant: datetime, *, zone: tzinfo, reader: tzinfo, at: datetime, language: str) -> tuple[str, str]:
    """The day and the time of `said`."""
    language = language if language in MONTHS else "en"
    local = instant.astimezone(zone)
    shared = local.utcoffset() == instant.astimezone(reader).utcoffset()
    near = _near(local, at.astimezone(zone), language) if shared else None
    clock = _clock(local, language) if shared else f"{_clock(local, language)} {local.tzname()}"
    return near or _date(local, language), clock


def _near(local: datetime, now: datetime, language: str) -> str | None:
    days = (local.date() - now.date()) // timedelta(days=1)
    return NEAR[language][days] if days in (0, 1) else None


def _date(local: datetime, language: str) -> str:
    weekday, month = WEEKDAYS[language][local.weekday()], MONTHS[language][local.month - 1]
    return f"el {weekday} {local.day} de {month}" if language == "es" else f"on {weekday}, {month} {local.day}"


def _clock(local: datetime, language: str) -> str:
    hour, minute = local.hour % 12 or 12, f"{local.minute:02d}"
    if language == "es":
        return f"a la{'' if hour == 1 else 's'} {hour}:{minute} {'p. m.' if local.hour >= 12 else 'a. m.'}"
    return f"at {hour}:{minute} {'PM' if local.hour >= 12 else 'AM'}"
