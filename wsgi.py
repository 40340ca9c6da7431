"""The door: `granian --interface wsgi wsgi:app`, or any other WSGI server."""

from api import observe
from api.app import create_app

app = create_app()
if app.settings.metrics_port:
    observe.serve_metrics(app.settings.metrics_port)
