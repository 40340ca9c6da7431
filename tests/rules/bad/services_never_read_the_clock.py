# api/sessions/service.py
from api import clock, db  # bad


def check_in(*, patient_id, session_id):
    return db.session().get(object, session_id).arrive(clock.now())
