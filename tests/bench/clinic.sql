-- A synthetic clinic of %(patients)s patients, with 20 sessions each in the window that an app asks for by default.
-- Written as the worker does: week by week, and in a week one series after the other (`series.extend`, `places.book`), so
-- that one patient's rows lie scattered over the table's pages by weeks.
-- Foreign keys are not asked about (session_replication_role), and secondary indexes are made afterwards.
CREATE FUNCTION pg_temp.id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(1767225600000 + kind * 100000000 + n), 12, '0')
    || '7' || substr(md5(kind || '/' || n), 1, 3) || '8' || substr(md5(kind || '/' || n), 4, 15))::uuid
$$;

CREATE TEMP TABLE people AS
SELECT n, (n - 1) / 10 AS party, pg_temp.id(1, n) AS id FROM generate_series(1, %(patients)s) n;
INSERT INTO patients (id, external_id, preferred_name, created_at)
SELECT id, 'SYN-' || n, 'Sam', now() - interval '30 days' FROM people ORDER BY n;
INSERT INTO patient_versions (patient_id) SELECT id FROM people ORDER BY n;
INSERT INTO app_sessions (id, patient_id, expires_at)
SELECT pg_temp.id(2, n), id, now() + interval '90 days' FROM people ORDER BY n;
-- Today is asked of the smaller clinics only.
INSERT INTO enrollments (id, patient_id, program_slug, status, status_since, starts_at, focus, version)
SELECT pg_temp.id(3, n), id, 'iop', 'active', current_date - interval '21 days', current_date - interval '21 days',
  ARRAY['substance_use'], 1
FROM people WHERE n <= 20000 ORDER BY n;

-- Groups of ten, three hours each; the first began two hours ago, and every third meets by telehealth.
CREATE TEMP TABLE meetings AS
SELECT d AS day, party, d / 5 AS week, pg_temp.id(4, (d / 5 * 1000000 + party) * 5 + d %% 5) AS id,
  date_trunc('second', now()) - interval '2 hours' + d * interval '32 hours' AS starts_at
FROM generate_series(0, 19) d, generate_series(0, (%(patients)s - 1) / 10) party;
INSERT INTO care_sessions (id, kind, title, title_es, modality, facilitator, location_id, room, program_slug, time_zone,
  starts_at, ends_at, status, exception, revision, version)
SELECT id, 'group', 'Morning group ' || party, 'Grupo de la mañana ' || party,
  CASE WHEN party %% 3 = 0 THEN 'telehealth' ELSE 'in_person' END, 'R. Example',
  CASE WHEN party %% 3 > 0 THEN pg_temp.id(5, 1) END, CASE WHEN party %% 3 > 0 THEN (party %% 9)::text END, 'iop',
  'America/New_York', starts_at, starts_at + interval '3 hours', 'scheduled', false, 1, 1
FROM meetings ORDER BY id;

-- The first was attended, to the next five the patient has said yes.
INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, reply, reply_starts_at, replied_at, arrived_at,
  mark, minutes, marked_at, version)
SELECT p.id, m.id, m.starts_at, m.starts_at + interval '3 hours', 'booked',
  CASE WHEN day BETWEEN 1 AND 5 THEN 'attending' END, CASE WHEN day BETWEEN 1 AND 5 THEN m.starts_at END,
  CASE WHEN day BETWEEN 1 AND 5 THEN date_trunc('second', now()) - interval '1 day' END,
  CASE WHEN day = 0 THEN m.starts_at END,
  CASE WHEN day = 0 THEN 'present' END, CASE WHEN day = 0 THEN 180 END, CASE WHEN day = 0 THEN date_trunc('second', now()) END, 1
FROM meetings m JOIN people p USING (party) ORDER BY m.week, p.n, m.day;
