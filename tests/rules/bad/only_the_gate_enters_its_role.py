# api/referrals/partner.py
import sqlalchemy as sa

from api import db


def get_referral(referral_id):
    with db.aside(db.Caller(kind="gate")):  # bad
        db.session().get(Triage, referral_id)
    db.session().execute(sa.text("SET LOCAL ROLE continuum_gate"))  # bad
