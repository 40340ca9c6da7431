"""The door: `granian --interface wsgi wsgi:app`, or any WSGI server."""

from api.app import create_app

app = create_app()
