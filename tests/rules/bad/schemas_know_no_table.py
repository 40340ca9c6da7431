# schemas/sessions.py
from api import vocabulary
from api.sessions.models import CareSession  # bad

WORDS, TABLE = vocabulary.LANGUAGES, CareSession
