-- Every type of job, what schedules came to, copies of points, and what people say of points.

INSERT INTO job_types VALUES
  ('protection_flow'), ('replication'), ('restore'), ('verify'), ('repair'), ('boot_check'), ('merge'),
  ('prune'), ('discover'), ('import'), ('rescan'), ('scheduler'), ('cleanup');

INSERT INTO end_reasons VALUES
  ('machine_busy'), ('timed_out'), ('stalled'), ('no_space'), ('source_unreachable'),
  ('repository_unreachable'), ('condition_not_met'), ('cbt_lied'), ('disk_unprotected'), ('damaged');

CREATE TABLE occurrence_statuses (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO occurrence_statuses VALUES ('planned'), ('started'), ('skipped'), ('missed');

CREATE TABLE occurrence_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO occurrence_reasons VALUES
  ('already_running'), ('blackout'), ('disabled'),
  ('draining'), ('daemon_was_down');

CREATE TABLE verdict_results (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO verdict_results VALUES ('good'), ('bad');

-- With the name in it a listing reads the index alone.
DROP INDEX executions_by_flow;
CREATE INDEX executions_by_flow ON executions (flow_id, id, name);

-- The chain that it writes to: one writer at a time, whatever its type.
ALTER TABLE jobs ADD COLUMN chain_id INTEGER REFERENCES chains (id) ON DELETE SET NULL;
CREATE INDEX jobs_by_chain ON jobs (chain_id) WHERE chain_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_writer_a_chain ON jobs (chain_id)
  WHERE chain_id IS NOT NULL AND status IN ('pending', 'running');
CREATE INDEX jobs_of_no_execution ON jobs (execution_id, id) WHERE execution_id IS NULL;

-- Points are sealed, but what is known of them changes.
ALTER TABLE points ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE points ADD COLUMN verified_at INTEGER;
ALTER TABLE points ADD COLUMN verified_level TEXT REFERENCES verify_levels (word)
  CONSTRAINT a_verification_has_time_and_level CHECK ((verified_at IS NULL) = (verified_level IS NULL));
ALTER TABLE points ADD COLUMN verified_result TEXT REFERENCES verdict_results (word)
  CONSTRAINT a_verification_has_time_and_result CHECK ((verified_at IS NULL) = (verified_result IS NULL));

-- Of the disk as one flat qcow2; absent where it was not worked out when the point was made.
ALTER TABLE point_disks ADD COLUMN qcow2_bytes INTEGER
  CONSTRAINT qcow2_bytes_are_not_negative CHECK (qcow2_bytes >= 0);

-- Each time of a schedule, for each flow that follows it.
CREATE TABLE schedule_occurrences (
  id INTEGER PRIMARY KEY,
  schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  planned_at INTEGER NOT NULL,
  status TEXT NOT NULL REFERENCES occurrence_statuses (word),
  reason TEXT REFERENCES occurrence_reasons (word),
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  UNIQUE (schedule_id, flow_id, planned_at),
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT what_was_left_out_says_why CHECK ((status IN ('skipped', 'missed')) = (reason IS NOT NULL)),
  CONSTRAINT only_what_started_has_an_execution CHECK (execution_id IS NULL OR status = 'started')
) STRICT;

CREATE INDEX schedule_occurrences_in_order ON schedule_occurrences (schedule_id, id);
CREATE INDEX schedule_occurrences_by_flow ON schedule_occurrences (flow_id);
CREATE INDEX schedule_occurrences_by_execution ON schedule_occurrences (execution_id)
  WHERE execution_id IS NOT NULL;
CREATE INDEX schedule_occurrences_planned ON schedule_occurrences (planned_at) WHERE status = 'planned';

-- The same point in another repository, on a chain of its own there.
CREATE TABLE copies (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL,
  machine_id INTEGER NOT NULL,
  repository_id INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  parent_copy_id INTEGER REFERENCES copies (id) ON DELETE RESTRICT,
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  state TEXT NOT NULL REFERENCES point_states (word),
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  created_at INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  UNIQUE (point_id, repository_id),
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE RESTRICT,
  FOREIGN KEY (machine_id, repository_id, chain_id)
    REFERENCES chains (machine_id, repository_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT a_full_rests_on_nothing CHECK ((kind = 'full') = (parent_copy_id IS NULL)),
  CONSTRAINT no_copy_rests_on_itself CHECK (parent_copy_id <> id),
  CONSTRAINT bytes_are_not_negative CHECK (bytes_stored >= 0)
) STRICT;

CREATE INDEX copies_by_point ON copies (machine_id, point_id);
CREATE INDEX copies_by_repository ON copies (repository_id);
CREATE INDEX copies_by_chain ON copies (chain_id);
CREATE INDEX copies_by_parent ON copies (parent_copy_id) WHERE parent_copy_id IS NOT NULL;
CREATE INDEX copies_by_execution ON copies (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX copies_being_written ON copies (id) WHERE state = 'writing';

CREATE TABLE copy_disks (
  id INTEGER PRIMARY KEY,
  copy_id INTEGER NOT NULL REFERENCES copies (id) ON DELETE CASCADE,
  disk_id INTEGER NOT NULL,
  layer_id INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  sums_sha256 TEXT,
  UNIQUE (copy_id, disk_id),
  FOREIGN KEY (disk_id, layer_id) REFERENCES layers (disk_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT absent_text_is_null CHECK (sums_sha256 <> ''),
  CONSTRAINT bytes_are_not_negative CHECK (bytes_stored >= 0)
) STRICT;

CREATE INDEX copy_disks_by_layer ON copy_disks (disk_id, layer_id);

-- Law 12: a pin holds its point for as long as its row is there.
CREATE TABLE pins (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES points (id) ON DELETE RESTRICT,
  at INTEGER NOT NULL,
  pinned_by TEXT,
  until INTEGER,  -- absent: until it is taken away
  why TEXT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT absent_text_is_null CHECK (pinned_by <> '' AND why <> '')
) STRICT;

CREATE INDEX pins_by_point ON pins (point_id, id);
CREATE INDEX pins_that_end ON pins (until) WHERE until IS NOT NULL;

CREATE TABLE verdicts (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES points (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  result TEXT NOT NULL REFERENCES verdict_results (word),
  given_by TEXT NOT NULL,
  text TEXT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT somebody_gave_it CHECK (given_by <> ''),
  CONSTRAINT absent_text_is_null CHECK (text <> '')
) STRICT;

CREATE INDEX verdicts_by_point ON verdicts (point_id, id);
