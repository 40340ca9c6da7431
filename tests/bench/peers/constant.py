"""Bare Flask that answers with a constant: what any answer of Flask costs. CONSTANT_FILE holds the bytes."""

import os
from pathlib import Path

from flask import Flask, Response

app = Flask(__name__)
BODY = Path(os.environ["CONSTANT_FILE"]).read_bytes()


@app.get("/constant")
def constant() -> Response:
    return Response(BODY, mimetype="application/json")
