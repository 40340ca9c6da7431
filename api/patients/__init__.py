"""The people whom the clinic treats, as far as the app needs to know them.

A patient is upserted by the clinic's record system under its own id (`external_id`). Every write that a patient
could notice first raises that patient's version (`versions`), which answers If-None-Match and orders what changed.
"""
