-- Runs: executions of flows with their jobs, the times of schedules, starts that wait. Law 16: a run has an end
-- exactly when its status is a final one.

CREATE TABLE run_statuses (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO run_statuses VALUES ('pending'), ('running'), ('success'), ('warning'), ('error'), ('cancelled');

CREATE TABLE execution_types (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO execution_types VALUES ('scheduled'), ('manual'), ('api');

CREATE TABLE job_types (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO job_types VALUES ('backup'), ('replication'), ('verify'), ('prune'), ('import'), ('drain'), ('test');

CREATE TABLE end_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO end_reasons VALUES
  ('interrupted'), ('cancelled'), ('unplanned_full'), ('failed'), ('timed_out'), ('stalled'), ('no_space'),
  ('source_unreachable'), ('repository_unreachable'), ('condition_not_met'), ('cbt_lied'), ('damaged'),
  ('no_machines'), ('hook_failed');

CREATE TABLE occurrence_statuses (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO occurrence_statuses VALUES ('planned'), ('started'), ('skipped'), ('missed');

CREATE TABLE occurrence_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO occurrence_reasons VALUES
  ('already_running'), ('blackout'), ('disabled'), ('draining'), ('daemon_was_down'), ('passed_over'),
  ('refused');

CREATE TABLE executions (
  id INTEGER PRIMARY KEY,
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES run_statuses (word),
  type TEXT NOT NULL REFERENCES execution_types (word),
  started_by TEXT,
  reason TEXT REFERENCES end_reasons (word),
  message TEXT,
  jobs_created INTEGER NOT NULL,
  jobs_completed INTEGER NOT NULL,
  jobs_failed INTEGER NOT NULL,
  jobs_skipped INTEGER NOT NULL,
  machines_processed INTEGER NOT NULL,
  bytes_read INTEGER NOT NULL,
  bytes_transferred INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  revision INTEGER NOT NULL,
  UNIQUE (flow_id, name),
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT absent_text_is_null CHECK (started_by <> '' AND message <> ''),
  CONSTRAINT what_runs_has_started CHECK (status <> 'running' OR started_at IS NOT NULL),
  CONSTRAINT what_has_ended_has_an_end CHECK ((status IN ('pending', 'running')) = (completed_at IS NULL)),
  CONSTRAINT only_what_has_ended_has_a_reason CHECK (reason IS NULL OR status NOT IN ('pending', 'running')),
  CONSTRAINT counters_are_not_negative CHECK (
    jobs_created >= 0 AND jobs_completed >= 0 AND jobs_failed >= 0 AND jobs_skipped >= 0 AND
    machines_processed >= 0 AND bytes_read >= 0 AND bytes_transferred >= 0 AND bytes_stored >= 0)
) STRICT;

-- A listing reads this index alone, because the name is in it.
CREATE INDEX executions_by_flow ON executions (flow_id, id, name);
CREATE UNIQUE INDEX executions_one_active_a_flow ON executions (flow_id)
  WHERE status IN ('pending', 'running');

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL REFERENCES job_types (word),
  operation TEXT,
  owner TEXT,
  execution_id INTEGER REFERENCES executions (id) ON DELETE CASCADE,
  flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,  -- set without an execution
  machine_id INTEGER REFERENCES machines (id) ON DELETE SET NULL,
  repository_id INTEGER REFERENCES repositories (id) ON DELETE SET NULL,
  parent_job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  status TEXT NOT NULL REFERENCES run_statuses (word),
  reason TEXT REFERENCES end_reasons (word),
  message TEXT,
  metadata TEXT NOT NULL,
  bytes_done INTEGER NOT NULL,
  bytes_total INTEGER NOT NULL,
  bytes_read INTEGER NOT NULL,
  bytes_transferred INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  revision INTEGER NOT NULL,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT absent_text_is_null CHECK (operation <> '' AND owner <> '' AND message <> ''),
  CONSTRAINT metadata_is_a_json_object CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
  CONSTRAINT what_runs_has_started CHECK (status <> 'running' OR started_at IS NOT NULL),
  CONSTRAINT what_has_ended_has_an_end CHECK ((status IN ('pending', 'running')) = (completed_at IS NULL)),
  CONSTRAINT only_what_has_ended_has_a_reason CHECK (reason IS NULL OR status NOT IN ('pending', 'running')),
  CONSTRAINT no_job_is_its_own_parent CHECK (parent_job_id <> id),
  CONSTRAINT counters_are_not_negative CHECK (
    bytes_done >= 0 AND bytes_total >= 0 AND bytes_read >= 0 AND bytes_transferred >= 0 AND bytes_stored >= 0)
) STRICT;

CREATE INDEX jobs_by_execution ON jobs (execution_id, id) WHERE execution_id IS NOT NULL;
CREATE INDEX jobs_of_no_execution ON jobs (execution_id, id) WHERE execution_id IS NULL;
CREATE INDEX jobs_by_flow ON jobs (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX jobs_by_machine ON jobs (machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX jobs_by_repository ON jobs (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_job_id) WHERE parent_job_id IS NOT NULL;
CREATE INDEX jobs_active ON jobs (id) WHERE status IN ('pending', 'running');

-- One row for each time of a schedule and each flow that follows the schedule.
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

-- Flows that are to start because the flow before them has ended.
CREATE TABLE chained_starts (
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  after_flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (flow_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX chained_starts_by_after_flow ON chained_starts (after_flow_id);
