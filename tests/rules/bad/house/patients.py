from house.sessions import CARE_SESSIONS

SEEN = CARE_SESSIONS
