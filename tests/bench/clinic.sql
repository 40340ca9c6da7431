-- A synthetic clinic of %(patients)s patients, each enrolled in the IOP and with 20 sessions in the default window.
-- Written day by day, as series are made in advance, so that one patient's rows lie scattered over the table's pages.
-- Foreign keys are not asked about (session_replication_role), and secondary indexes are made afterwards.
CREATE FUNCTION pg_temp.id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex(1767225600000 + kind * 10000000 + n), 12, '0')
    || '7' || substr(md5(kind || '/' || n), 1, 3) || '8' || substr(md5(kind || '/' || n), 4, 15))::uuid
$$;

INSERT INTO patients (id, external_id, preferred_name, created_at)
SELECT pg_temp.id(1, p), 'SYN-' || p, 'Sam', now() - interval '30 days' FROM generate_series(1, %(patients)s) p;
INSERT INTO patient_versions (patient_id) SELECT id FROM patients;
INSERT INTO app_sessions (id, patient_id, expires_at)
SELECT pg_temp.id(2, p), pg_temp.id(1, p), now() + interval '90 days' FROM generate_series(1, %(patients)s) p;
INSERT INTO enrollments (id, patient_id, program_slug, status, status_since, starts_at, focus, version)
SELECT pg_temp.id(3, p), pg_temp.id(1, p), 'iop', 'active', now() - interval '21 days', now() - interval '21 days',
  ARRAY['substance_use'], 1
FROM generate_series(1, %(patients)s) p;

-- Groups of ten, three hours each; the first began two hours ago, and every third meets by telehealth.
INSERT INTO care_sessions (id, kind, title, title_es, modality, facilitator, location_id, room, program_slug, time_zone,
  starts_at, ends_at, status, exception, revision, version)
SELECT pg_temp.id(4, d * 1000000 + g), 'group', 'Morning group ' || g, 'Grupo de la mañana ' || g,
  CASE WHEN g %% 3 = 0 THEN 'telehealth' ELSE 'in_person' END, 'R. Example',
  CASE WHEN g %% 3 > 0 THEN pg_temp.id(5, 1) END, CASE WHEN g %% 3 > 0 THEN (g %% 9)::text END, 'iop',
  'America/New_York', s.starts_at, s.starts_at + interval '3 hours', 'scheduled', false, 1, 1
FROM generate_series(0, 19) d, generate_series(0, (%(patients)s - 1) / 10) g,
  LATERAL (SELECT date_trunc('second', now()) - interval '2 hours' + d * interval '32 hours' AS starts_at) s;

-- The first was attended, to the next five the patient has said yes.
INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, reply, reply_starts_at, replied_at, arrived_at,
  mark, minutes, marked_at, version)
SELECT pg_temp.id(1, p), pg_temp.id(4, d * 1000000 + (p - 1) / 10), s.starts_at, s.starts_at + interval '3 hours', 'booked',
  CASE WHEN d BETWEEN 1 AND 5 THEN 'attending' END, CASE WHEN d BETWEEN 1 AND 5 THEN s.starts_at END,
  CASE WHEN d BETWEEN 1 AND 5 THEN s.loaded_at - interval '1 day' END,
  CASE WHEN d = 0 THEN s.starts_at END,
  CASE WHEN d = 0 THEN 'present' END, CASE WHEN d = 0 THEN 180 END, CASE WHEN d = 0 THEN s.loaded_at END, 1
FROM generate_series(0, 19) d, generate_series(1, %(patients)s) p,
  LATERAL (SELECT date_trunc('second', now()) AS loaded_at,
    date_trunc('second', now()) - interval '2 hours' + d * interval '32 hours' AS starts_at) s;
