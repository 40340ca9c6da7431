"""The promise to callers: what is asked and what is answered, in marshmallow, without a table in sight."""
