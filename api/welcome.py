"""What `make run` says when all is up: one screen, with lines that work as pasted in the clone's folder."""

PATIENT = '-H "Authorization: Bearer $(cat .data/tokens/patient)"'
CLINIC = '-H "Authorization: Bearer $(cat .data/tokens/clinic)" -H \'Acting-User: "u-17";role=counselor\''
LINES = (
    ("IOP and OP side by side", "curl -s '{url}/v1/program-comparison?programs=iop,op'"),
    ("The patient's first screen", f"curl -s {PATIENT} {{url}}/v1/me/today"),
    ("The patient's sessions", f"curl -s {PATIENT} {{url}}/v1/me/sessions"),
    ("The patient's reminders, and why", f"curl -s {PATIENT} {{url}}/v1/me/reminders"),
    ("The clinic's safety alerts", f"curl -s {CLINIC} {{url}}/v1/clinic/alerts"),
    ("The clinic's tasks", f"curl -s {CLINIC} {{url}}/v1/clinic/tasks"),
)
SCREEN = """\

Continuum runs. Read its contract at {url}/docs

{lines}
Logs: .data/api.log and .data/worker.log. Ctrl-C stops all of it; what it knows stays in .data/ until `make clean`.
"""


def text(url: str) -> str:
    lines = "".join(f"# {what}\n{line.format(url=url)}\n\n" for what, line in LINES)
    return SCREEN.format(url=url, lines=lines)
