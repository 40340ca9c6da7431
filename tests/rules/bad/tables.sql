-- A table with a patient that anybody's query would read, with states and times as the house does not keep them.
CREATE TYPE letter_state AS ENUM ('sent', 'read');
CREATE TABLE letters (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients (id),
    state letter_state NOT NULL,
    sent_at timestamp NOT NULL
);
CREATE TABLE notes (id uuid PRIMARY KEY, patient_id uuid NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY patient ON notes TO continuum_app USING (patient_id = current_setting('app.patient_id', true)::uuid);
CREATE POLICY clinic ON notes TO continuum_app USING (true);
GRANT SELECT ON letters, notes TO continuum_app;
