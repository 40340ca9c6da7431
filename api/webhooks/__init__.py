"""Webhooks: telling a partner's system that something of its own has changed, and nothing more than that.

- A webhook says a type, an id and a version, never what treatment, state or person it is about: the partner reads the
  rest with its own token, through the gate. Standard Webhooks 1.0: three headers, HMAC-SHA256 over the exact bytes.
- An event is put in by the transaction that makes it true, with a delivery for each endpoint that wants it and a job
  for each delivery. Told at least once: receivers know a repetition by `webhook-id`.
- What only a consent allows is asked again right before each attempt. If it is not allowed any more, nothing is said.
- An endpoint is told nothing until whoever answers there has echoed a challenge.
- One that is gone, or fails for days, is turned off, and its partner's contact is told so by mail.
- One attempt at a time for each endpoint: a receiver that hangs keeps only itself waiting.
"""
