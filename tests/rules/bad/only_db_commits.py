# api/sessions/service.py
from api import db


def move(*, session_id, starts_at):
    with db.session().begin_nested():  # bad
        db.session().flush()
    db.session().commit()  # bad
