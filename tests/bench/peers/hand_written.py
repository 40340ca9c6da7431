"""Bare Flask and psycopg by hand: PostgreSQL renders the JSON, and the bytes go out as they are."""

import os
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

from tests.bench.peers import verifying

app = Flask(__name__)
POOL = ConnectionPool(os.environ["DSN"], min_size=8, max_size=8, kwargs={"autocommit": True, "prepare_threshold": 0})
ISO = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""
SESSIONS = f"""
SELECT json_strip_nulls(coalesce(json_agg(t), '[]'))::text FROM (
  SELECT s.id, s.kind, coalesce(CASE WHEN p.language = 'es' THEN s.title_es END, s.title) AS title, s.status,
    to_char(a.starts_at AT TIME ZONE 'UTC', {ISO}) AS starts_at,
    to_char(a.ends_at AT TIME ZONE 'UTC', {ISO}) AS ends_at,
    s.time_zone, s.modality, s.facilitator, s.location_id, s.room,
    to_char((a.starts_at - interval '30 minutes') AT TIME ZONE 'UTC', {ISO}) AS check_in_opens_at,
    to_char(a.ends_at AT TIME ZONE 'UTC', {ISO}) AS check_in_closes_at,
    to_char(CASE WHEN s.join_url IS NOT NULL AND s.modality <> 'in_person'
      THEN a.starts_at - interval '15 minutes' END AT TIME ZONE 'UTC', {ISO}) AS join_opens_at, a.makes_up_for,
    CASE WHEN a.reply = 'not_attending' AND NOT a.asks_to_move OR a.reply_starts_at = a.starts_at
    THEN json_build_object(
      'reply', a.reply, 'reason', a.reply_reason, 'starts_at', to_char(a.reply_starts_at AT TIME ZONE 'UTC', {ISO}),
      'replied_at', to_char(a.replied_at AT TIME ZONE 'UTC', {ISO}), 'late', a.replied_at >= a.starts_at,
      'late_cancellation', a.late_cancellation, 'asks_to_move', a.asks_to_move) END AS reply,
    CASE WHEN a.arrived_at IS NOT NULL THEN json_build_object(
      'placement', CASE WHEN a.arrived_at BETWEEN a.starts_at - interval '30 minutes' AND a.ends_at
        THEN 'in_window' ELSE 'outside_window' END,
      'arrived_at', to_char(a.arrived_at AT TIME ZONE 'UTC', {ISO}),
      'way', coalesce(a.arrival_way, 'checked_in'), 'confirmed', a.arrival_confirmed) END AS arrival,
    CASE WHEN a.mark IS NOT NULL THEN json_build_object(
      'mark', a.mark, 'minutes', a.minutes, 'arrived_at', to_char(a.came_at AT TIME ZONE 'UTC', {ISO}),
      'left_at', to_char(a.left_at AT TIME ZONE 'UTC', {ISO}),
      'marked_at', to_char(a.marked_at AT TIME ZONE 'UTC', {ISO})) END AS attendance,
    json_build_object(
      'status', CASE a.mark WHEN 'present' THEN 'attended' WHEN 'absent' THEN 'missed' WHEN 'excused' THEN 'excused'
        ELSE CASE WHEN a.arrived_at BETWEEN a.starts_at - interval '30 minutes' AND a.ends_at
          THEN 'attested' ELSE 'expected' END END,
      'rests_on', CASE WHEN a.mark IS NOT NULL THEN 'clinic'
        WHEN a.arrived_at BETWEEN a.starts_at - interval '30 minutes' AND a.ends_at THEN 'patient' ELSE 'nothing' END
    ) AS presence
  FROM attendances a JOIN care_sessions s ON s.id = a.session_id JOIN patients p ON p.id = a.patient_id
  WHERE a.patient_id = %s AND a.status = 'booked' AND a.starts_at >= %s AND a.starts_at < %s
  ORDER BY a.starts_at, a.session_id LIMIT 20) t
"""


@app.get("/v1/me/sessions")
def sessions() -> Response:
    try:
        patient_id = verifying.patient_id(request.headers.get("Authorization"))
    except verifying.Refused:
        return Response('{"error":"unauthorized"}', 401, mimetype="application/json")
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    with POOL.connection() as connection:
        row = connection.execute(SESSIONS, (patient_id, since, since + timedelta(days=29))).fetchone()
    return Response('{"items":' + (row or ("[]",))[0] + "}", mimetype="application/json")
