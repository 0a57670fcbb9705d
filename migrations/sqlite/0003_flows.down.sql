-- A flow over a group has no target below: it becomes incomplete, its history stays.

DROP TABLE flow_recipients;
DROP TABLE flow_hooks;

CREATE TABLE old_flows (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  description TEXT,

  type TEXT NOT NULL REFERENCES flow_types (word),
  machine_id INTEGER REFERENCES machines (id) ON DELETE RESTRICT,
  repository_id INTEGER REFERENCES repositories (id) ON DELETE RESTRICT,
  enabled INTEGER NOT NULL,
  total_executions INTEGER NOT NULL DEFAULT 0,  -- ever made; pruned history stays counted
  successful_executions INTEGER NOT NULL DEFAULT 0,
  warned_executions INTEGER NOT NULL DEFAULT 0,
  failed_executions INTEGER NOT NULL DEFAULT 0,
  finished_executions INTEGER NOT NULL DEFAULT 0,  -- that ran their whole course, and for how long
  total_milliseconds INTEGER NOT NULL DEFAULT 0,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> ''),
  CONSTRAINT enabled_is_a_boolean CHECK (enabled IN (0, 1)),
  CONSTRAINT a_complete_flow_has_target_and_repository CHECK (
    complete = 0 OR (machine_id IS NOT NULL AND repository_id IS NOT NULL)),
  CONSTRAINT counters_are_not_negative CHECK (
    successful_executions >= 0 AND warned_executions >= 0 AND failed_executions >= 0 AND
    finished_executions >= 0 AND total_milliseconds >= 0 AND
    total_executions >= successful_executions + warned_executions + failed_executions)
) STRICT;

INSERT INTO old_flows
SELECT id, name, uid, gid, mode, complete AND machine_id IS NOT NULL, revision, created_at, changed_at,
       description, type, machine_id, repository_id, enabled, total_executions, successful_executions,
       warned_executions, failed_executions, finished_executions, total_milliseconds
FROM flows;
DROP TABLE flows;
ALTER TABLE old_flows RENAME TO flows;

CREATE INDEX flows_by_machine ON flows (machine_id);
CREATE INDEX flows_by_repository ON flows (repository_id);

CREATE TABLE old_disks (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  node TEXT,
  configured INTEGER NOT NULL,
  position INTEGER,  -- in the definition
  capacity INTEGER,  -- as last seen
  UNIQUE (machine_id, name),
  UNIQUE (machine_id, position),
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT a_configured_disk_has_a_position CHECK (configured = (position IS NOT NULL)),
  CONSTRAINT absent_text_is_null CHECK (node <> ''),
  CONSTRAINT capacity_is_not_negative CHECK (capacity >= 0)
) STRICT;

INSERT INTO old_disks SELECT id, machine_id, name, node, configured, position, capacity FROM disks;
DROP TABLE disks;
ALTER TABLE old_disks RENAME TO disks;

ALTER TABLE repositories DROP COLUMN reserve_percent;
ALTER TABLE repositories DROP COLUMN bandwidth;
ALTER TABLE repositories DROP COLUMN max_jobs;

DROP TABLE machine_excludes;
DROP INDEX machines_by_source;
ALTER TABLE machines DROP COLUMN objective;
ALTER TABLE machines DROP COLUMN quiesce;
ALTER TABLE machines DROP COLUMN domain;
ALTER TABLE machines DROP COLUMN source_id;
