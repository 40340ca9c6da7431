# api/referrals/partner.py
import sqlalchemy as sa

from api import db


def get_referral(referral_id):
    with db.aside(db.Caller(kind="gate")):  # bad
        db.session().execute(sa.text("SELECT state FROM referral_triage WHERE referral_id = :id"), {"id": referral_id})
    db.session().execute(sa.text("SET LOCAL ROLE continuum_gate"))  # bad
