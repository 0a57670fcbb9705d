-- Machines, disks, repositories and flows know of what 0002 has made. What new rows of theirs can't have by a
-- constraint alone makes a table anew; the rest are columns.

ALTER TABLE machines ADD COLUMN source_id INTEGER REFERENCES sources (id) ON DELETE RESTRICT;
ALTER TABLE machines ADD COLUMN domain TEXT CONSTRAINT absent_domain_is_null CHECK (domain <> '');
ALTER TABLE machines ADD COLUMN quiesce TEXT NOT NULL DEFAULT 'auto' REFERENCES quiesces (word);
ALTER TABLE machines ADD COLUMN objective INTEGER CONSTRAINT objective_is_positive CHECK (objective > 0);
CREATE INDEX machines_by_source ON machines (source_id) WHERE source_id IS NOT NULL;

CREATE TABLE machine_excludes (
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  exclude TEXT NOT NULL,
  PRIMARY KEY (machine_id, position),
  UNIQUE (machine_id, exclude),
  CONSTRAINT exclude_is_not_empty CHECK (exclude <> '')
) STRICT, WITHOUT ROWID;

ALTER TABLE repositories ADD COLUMN max_jobs INTEGER NOT NULL DEFAULT 2
  CONSTRAINT max_jobs_is_positive CHECK (max_jobs > 0);
ALTER TABLE repositories ADD COLUMN bandwidth INTEGER CONSTRAINT bandwidth_is_positive CHECK (bandwidth > 0);
ALTER TABLE repositories ADD COLUMN reserve_percent INTEGER NOT NULL DEFAULT 2
  CONSTRAINT reserve_is_a_percentage CHECK (reserve_percent BETWEEN 0 AND 100);

CREATE TABLE new_disks (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,  -- what it is called for ever, whatever its name becomes
  source_identity TEXT,  -- what the source knows it by: another one is another disk
  node TEXT,
  uri TEXT,
  bitmap TEXT,
  trust_bitmap INTEGER NOT NULL,
  path TEXT,
  configured INTEGER NOT NULL,
  position INTEGER,  -- in the definition
  capacity INTEGER,  -- as last seen
  UNIQUE (machine_id, name),
  UNIQUE (machine_id, position),
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT key_is_not_empty CHECK (key <> ''),
  CONSTRAINT trust_bitmap_is_a_boolean CHECK (trust_bitmap IN (0, 1)),
  CONSTRAINT a_configured_disk_has_a_position CHECK (configured = (position IS NOT NULL)),
  CONSTRAINT absent_text_is_null CHECK (
    source_identity <> '' AND node <> '' AND uri <> '' AND bitmap <> '' AND path <> ''),
  CONSTRAINT capacity_is_not_negative CHECK (capacity >= 0)
) STRICT;

INSERT INTO new_disks (id, machine_id, name, key, node, trust_bitmap, configured, position, capacity)
SELECT id, machine_id, name, name || '-' || lower(hex(randomblob(4))), node, 0, configured, position, capacity
FROM disks;
DROP TABLE disks;
ALTER TABLE new_disks RENAME TO disks;

CREATE TABLE new_flows (
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
  group_id INTEGER REFERENCES groups (id) ON DELETE RESTRICT,
  repository_id INTEGER REFERENCES repositories (id) ON DELETE RESTRICT,
  from_repository_id INTEGER REFERENCES repositories (id) ON DELETE RESTRICT,
  schedule_id INTEGER REFERENCES schedules (id) ON DELETE SET NULL,
  policy_id INTEGER REFERENCES policies (id) ON DELETE SET NULL,
  after_flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,
  enabled INTEGER NOT NULL,
  overlap TEXT NOT NULL REFERENCES overlaps (word),
  timeout INTEGER NOT NULL,
  stall INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  only_if TEXT,
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
  CONSTRAINT absent_text_is_null CHECK (description <> '' AND only_if <> ''),
  CONSTRAINT enabled_is_a_boolean CHECK (enabled IN (0, 1)),
  CONSTRAINT a_flow_has_one_target CHECK (machine_id IS NULL OR group_id IS NULL),
  CONSTRAINT a_complete_flow_has_target_and_repository CHECK (
    complete = 0 OR (coalesce(machine_id, group_id) IS NOT NULL AND repository_id IS NOT NULL)),
  CONSTRAINT no_flow_waits_for_itself CHECK (after_flow_id <> id),
  CONSTRAINT spans_are_positive CHECK (timeout > 0 AND stall > 0),
  CONSTRAINT counters_are_not_negative CHECK (
    successful_executions >= 0 AND warned_executions >= 0 AND failed_executions >= 0 AND
    finished_executions >= 0 AND total_milliseconds >= 0 AND
    total_executions >= successful_executions + warned_executions + failed_executions)
) STRICT;

INSERT INTO new_flows (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, type,
                       machine_id, repository_id, enabled, overlap, timeout, stall, priority, total_executions,
                       successful_executions, warned_executions, failed_executions, finished_executions,
                       total_milliseconds)
SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, type,
       machine_id, repository_id, enabled, 'skip', 86400, 1800, 0, total_executions,
       successful_executions, warned_executions, failed_executions, finished_executions, total_milliseconds
FROM flows;
DROP TABLE flows;
ALTER TABLE new_flows RENAME TO flows;

CREATE INDEX flows_by_machine ON flows (machine_id);
CREATE INDEX flows_by_group ON flows (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX flows_by_repository ON flows (repository_id);
CREATE INDEX flows_by_from_repository ON flows (from_repository_id) WHERE from_repository_id IS NOT NULL;
CREATE INDEX flows_by_schedule ON flows (schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX flows_by_policy ON flows (policy_id) WHERE policy_id IS NOT NULL;
CREATE INDEX flows_by_after_flow ON flows (after_flow_id) WHERE after_flow_id IS NOT NULL;

CREATE TABLE flow_hooks (
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  hook TEXT NOT NULL,
  PRIMARY KEY (flow_id, position),
  UNIQUE (flow_id, hook),
  CONSTRAINT hook_is_not_empty CHECK (hook <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_recipients (
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  PRIMARY KEY (flow_id, position),
  UNIQUE (flow_id, recipient),
  CONSTRAINT recipient_is_not_empty CHECK (recipient <> '')
) STRICT, WITHOUT ROWID;
