# api/patients/service.py
from api.observe import log


def upsert(*, external_id, preferred_name):
    log.info("patient kept", request_id="5f0c6b1e")
    log.info("patient kept", preferred_name=preferred_name)  # bad
    log.info(f"kept {external_id}")  # bad
