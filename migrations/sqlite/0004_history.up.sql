-- History: the event log, cut into parts by its size, and the log lines of jobs and executions.

CREATE TABLE event_results (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO event_results VALUES ('ok'), ('refused'), ('failed');

-- Law 15. Objects are named, not referred to, because the log outlives them.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  object TEXT,
  uid INTEGER,  -- uid, gid and pid absent: the daemon itself
  gid INTEGER,
  pid INTEGER,
  result TEXT NOT NULL REFERENCES event_results (word),
  reason TEXT,
  execution TEXT,
  job TEXT,
  owner_uid INTEGER,  -- the object's owner at that time; all three absent: root alone
  owner_gid INTEGER,
  owner_mode INTEGER,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT event_is_not_empty CHECK (event <> ''),
  CONSTRAINT absent_text_is_null CHECK (object <> '' AND reason <> '' AND execution <> '' AND job <> ''),
  CONSTRAINT a_caller_is_known_whole CHECK ((uid IS NULL) = (gid IS NULL) AND (uid IS NULL) = (pid IS NULL)),
  CONSTRAINT owner_uid_is_unsigned CHECK (owner_uid BETWEEN 0 AND 4294967295),
  CONSTRAINT owner_gid_is_unsigned CHECK (owner_gid BETWEEN 0 AND 4294967295),
  CONSTRAINT owner_mode_is_permission_bits CHECK (owner_mode BETWEEN 0 AND 4095),
  CONSTRAINT an_owner_is_known_whole CHECK (
    (owner_uid IS NULL) = (owner_gid IS NULL) AND (owner_uid IS NULL) = (owner_mode IS NULL))
) STRICT;

CREATE TABLE event_parts (
  id INTEGER PRIMARY KEY,  -- events of this part have greater ids, up to the next part's
  bytes INTEGER NOT NULL,  -- about the size of its lines
  CONSTRAINT id_is_not_negative CHECK (id >= 0),
  CONSTRAINT bytes_are_not_negative CHECK (bytes >= 0)
) STRICT;

INSERT INTO event_parts VALUES (0, 0);

CREATE TABLE log_lines (
  id INTEGER PRIMARY KEY,
  job_id INTEGER REFERENCES jobs (id) ON DELETE CASCADE,
  execution_id INTEGER REFERENCES executions (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT somebody_tells_it CHECK (job_id IS NOT NULL OR execution_id IS NOT NULL),
  CONSTRAINT text_is_not_empty CHECK (text <> '')
) STRICT;

CREATE INDEX log_lines_by_job ON log_lines (job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX log_lines_by_execution ON log_lines (execution_id, id) WHERE execution_id IS NOT NULL;
