"""Who may come in: app sessions (signed-in phones) and API clients (partners' and the clinic's own systems).

A token names an app session or a client; whether that still stands is asked of the database at every request,
so an ended one stops at the next, on every worker.
"""
