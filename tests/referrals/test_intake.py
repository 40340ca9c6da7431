"""What a deployment sets about its intake stands beside every referral, in the language that is asked for."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from api import config, db
from api.app import Continuum
from api.referrals import intake, worker
from schemas.referrals import AboutReferralsAnswer
from tests.knocking import Knocker
from tests.referrals.sending import PATH, SENT, refer

SET = {
    "INTAKE_PHONE": "+12125550100",
    "INTAKE_HOURS": "Monday to Friday, 9 am to 5 pm",
    "INTAKE_HOURS_ES": "De lunes a viernes, de 9 a 17 h",
    "INTAKE_REPLY_HOURS": "48",
    "INTAKE_OVERDUE_HOURS": "36",
}
MEMBERS = ("intake_phone", "intake_hours", "expected_reply")
Set = Callable[..., config.Config]


@pytest.fixture
def set_to(app: Continuum, settings: config.Config) -> Iterator[Set]:
    """Has the house speak of the intake that these settings configure, and gives them."""

    def use(**env: str) -> config.Config:
        kept = {"DATABASE_URL": settings.database_url, "TOKEN_KEYS_FILE": str(settings.token_keys_file)}
        secrets = {"CURSOR_SECRET": "0123456789abcdef" * 2, "ACCESS_SECRET": "fedcba9876543210" * 2}
        sealing = {"ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4, "CONTINUUM_ENV": "development"}
        read = config.read({**kept, **secrets, **sealing, "DUTY_CONTACTS": "duty-1", **env})
        intake.use(read)
        return read

    yield use
    intake.use(settings)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("+12125550100", "Monday to Friday, 9 am to 5 pm", "Intake usually answers within 48 hours.")),
        (
            "es",
            (
                "+12125550100",
                "De lunes a viernes, de 9 a 17 h",
                "El equipo de admisión suele responder en un plazo de 48 horas.",
            ),
        ),
    ],
)
def test_who_refers_learns_how_and_when_intake_is_reached(
    partner: Knocker, set_to: Set, language: str, said: tuple[str, ...]
) -> None:
    set_to(**SET)
    about = partner.post(PATH, json=SENT, headers={"Accept-Language": language}).json["about"]
    assert tuple(about[name] for name in MEMBERS) == said
    AboutReferralsAnswer().load(about)


def test_hours_that_are_set_in_english_alone_are_said_so_in_both(partner: Knocker, set_to: Set) -> None:
    set_to(INTAKE_HOURS="9 am to 5 pm")
    about = partner.get(PATH, headers={"Accept-Language": "es"}).json["about"]
    assert [about.get(name) for name in MEMBERS] == [None, "9 am to 5 pm", None]


def test_hours_that_change_are_another_version(partner: Knocker, set_to: Set) -> None:
    """A partner that asks with its old tag is told anew."""
    set_to(**SET)
    referral = refer(partner)
    tag = referral.tag()
    assert referral.read(**{"If-None-Match": tag}).status_code == 304
    set_to(**{**SET, "INTAKE_HOURS": "9 am to 6 pm"})
    again = referral.read(**{"If-None-Match": tag})
    assert (again.status_code, again.json["about"]["intake_hours"]) == (200, "9 am to 6 pm")


def test_how_long_may_pass_before_a_referral_is_overdue_is_set(
    partner: Knocker, set_to: Set, settings: config.Config, noon: datetime
) -> None:
    read = set_to(**SET)
    refer(partner)
    worker.use(overdue_hours=read.intake_overdue_hours, kept_days=read.referral_kept_days)
    marked = [overdue(noon + timedelta(hours=hours)) for hours in (35, 36)]
    worker.use(overdue_hours=settings.intake_overdue_hours, kept_days=settings.referral_kept_days)
    assert marked == [0, 1]


def overdue(at: datetime) -> int:
    with db.transaction(db.WORKER):
        return worker.mark_overdue(at=at)


@pytest.mark.parametrize(("name", "value"), [("INTAKE_REPLY_HOURS", "soon"), ("INTAKE_OVERDUE_HOURS", "0")])
def test_a_setting_that_makes_no_sense_is_named(set_to: Set, name: str, value: str) -> None:
    with pytest.raises(config.Misconfigured, match=name):
        set_to(**{**SET, name: value})
