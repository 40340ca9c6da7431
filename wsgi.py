"""The door: `granian --interface wsgi wsgi:app`, or any other WSGI server."""

from api import loading

with loading.to_stay():
    from werkzeug.middleware.proxy_fix import ProxyFix

    from api import observe
    from api.app import create_app

    app = create_app()
    if app.settings.proxies:
        # Strangers are counted by their address, and each proxy of ours adds the one that it saw.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=app.settings.proxies, x_proto=0)  # type: ignore[method-assign]
    if app.settings.metrics_port:
        observe.serve_metrics(app.settings.metrics_port)
