-- Objects that users make: machines, repositories, groups, schedules, policies, flows; and the daemon's settings.
--
-- Ids are made by the program. Times are milliseconds since 1970, UTC. An absent value is NULL, never ''.
-- An enumeration that a column holds is a table of words (catalog/model/enumerations.h): a new value is an insert.
-- Constraints bear names that state the law, because SQLite quotes the name of a broken one.
--
-- A definition is its config.json as one text, NULL until the object has one. References are left out of the text
-- and stand in columns, so that they follow a rename. A column AS (...) is computed from the text, for queries.

CREATE TABLE definition_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO definition_kinds VALUES ('machine'), ('repository'), ('flow'), ('group'), ('schedule'), ('policy');

CREATE TABLE machines (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  key TEXT NOT NULL UNIQUE,  -- directory in repositories; never reused
  objective TEXT AS (definition ->> '$.objective') STORED,
  points INTEGER NOT NULL DEFAULT 0,  -- committed points
  bytes_stored INTEGER NOT NULL DEFAULT 0,
  retired_at INTEGER,
  retired_keep INTEGER,  -- seconds after retired_at
  prune_due INTEGER NOT NULL DEFAULT 0,  -- points or copies have gone since a pruning last ended
  prune_warning TEXT,  -- why the last pruning left something undone

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT definition_is_a_json_object CHECK (
    definition IS NULL OR (json_valid(definition) AND json_type(definition) = 'object')),
  CONSTRAINT counters_are_not_negative CHECK (points >= 0 AND bytes_stored >= 0),
  CONSTRAINT prune_due_is_a_boolean CHECK (prune_due IN (0, 1))
) STRICT;

CREATE INDEX machines_retired ON machines (id) WHERE retired_at IS NOT NULL;

-- A disk that has left its machine's definition stays for as long as points hold it.
CREATE TABLE disks (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,  -- the disk's permanent name, whatever its name becomes
  source_identity TEXT,  -- the source's own name of the disk: another identity is another disk
  configured INTEGER NOT NULL,
  position INTEGER,  -- in the definition
  capacity INTEGER,  -- as last seen
  UNIQUE (machine_id, name),
  UNIQUE (machine_id, position),
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT key_is_not_empty CHECK (key <> ''),
  CONSTRAINT a_configured_disk_has_a_position CHECK (configured = (position IS NOT NULL)),
  CONSTRAINT absent_text_is_null CHECK (source_identity <> ''),
  CONSTRAINT capacity_is_not_negative CHECK (capacity >= 0)
) STRICT;

CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  path TEXT AS (definition ->> '$.path') STORED UNIQUE,
  marker TEXT,  -- the id in its holdfast.json, once it was initialised
  points INTEGER NOT NULL DEFAULT 0,  -- committed points and copies that lie in it
  bytes_stored INTEGER NOT NULL DEFAULT 0,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT absent_text_is_null CHECK (marker <> ''),
  CONSTRAINT a_complete_repository_has_a_path CHECK (definition IS NULL OR path IS NOT NULL),
  CONSTRAINT a_path_is_absolute CHECK (path GLOB '/*'),
  CONSTRAINT counters_are_not_negative CHECK (points >= 0 AND bytes_stored >= 0)
) STRICT;

CREATE TABLE groups (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT definition_is_a_json_object CHECK (
    definition IS NULL OR (json_valid(definition) AND json_type(definition) = 'object'))
) STRICT;

-- A membership goes with its group or its machine.
CREATE TABLE group_members (
  group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  enabled INTEGER NOT NULL,
  PRIMARY KEY (group_id, machine_id),
  CONSTRAINT enabled_is_a_boolean CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX group_members_by_machine ON group_members (machine_id);

CREATE TABLE schedules (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  enabled INTEGER AS (definition ->> '$.enabled') STORED,
  next_at INTEGER,  -- the next due time, as the scheduler computed it

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT definition_is_a_json_object CHECK (
    definition IS NULL OR (json_valid(definition) AND json_type(definition) = 'object'))
) STRICT;

CREATE INDEX schedules_due ON schedules (next_at) WHERE enabled = 1 AND next_at IS NOT NULL;
CREATE INDEX schedules_unplanned ON schedules (id) WHERE next_at IS NULL AND enabled = 1 AND complete = 1;

CREATE TABLE policies (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT definition_is_a_json_object CHECK (
    definition IS NULL OR (json_valid(definition) AND json_type(definition) = 'object'))
) STRICT;

CREATE TABLE flows (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  definition TEXT,
  complete INTEGER NOT NULL AS (definition IS NOT NULL),
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,

  machine_id INTEGER REFERENCES machines (id) ON DELETE RESTRICT,
  group_id INTEGER REFERENCES groups (id) ON DELETE RESTRICT,
  repository_id INTEGER REFERENCES repositories (id) ON DELETE RESTRICT,
  from_repository_id INTEGER REFERENCES repositories (id) ON DELETE RESTRICT,
  schedule_id INTEGER REFERENCES schedules (id) ON DELETE SET NULL,
  policy_id INTEGER REFERENCES policies (id) ON DELETE SET NULL,
  after_flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,
  enabled INTEGER AS (definition ->> '$.enabled') STORED,
  after_when TEXT AS (definition ->> '$.after_when') STORED,
  total_executions INTEGER NOT NULL DEFAULT 0,  -- ever made; pruned history stays counted
  successful_executions INTEGER NOT NULL DEFAULT 0,
  warned_executions INTEGER NOT NULL DEFAULT 0,
  failed_executions INTEGER NOT NULL DEFAULT 0,
  finished_executions INTEGER NOT NULL DEFAULT 0,  -- executions that ran their whole course,
  total_milliseconds INTEGER NOT NULL DEFAULT 0,  -- and how long they took together

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT definition_is_a_json_object CHECK (
    definition IS NULL OR (json_valid(definition) AND json_type(definition) = 'object')),
  CONSTRAINT a_flow_has_one_target CHECK (machine_id IS NULL OR group_id IS NULL),
  CONSTRAINT a_complete_flow_has_target_and_repository CHECK (
    definition IS NULL OR (coalesce(machine_id, group_id) IS NOT NULL AND repository_id IS NOT NULL)),
  CONSTRAINT no_flow_waits_for_itself CHECK (after_flow_id <> id),
  CONSTRAINT counters_are_not_negative CHECK (
    successful_executions >= 0 AND warned_executions >= 0 AND failed_executions >= 0 AND
    finished_executions >= 0 AND total_milliseconds >= 0 AND
    total_executions >= successful_executions + warned_executions + failed_executions)
) STRICT;

CREATE INDEX flows_by_machine ON flows (machine_id);
CREATE INDEX flows_by_group ON flows (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX flows_by_repository ON flows (repository_id);
CREATE INDEX flows_by_from_repository ON flows (from_repository_id) WHERE from_repository_id IS NOT NULL;
CREATE INDEX flows_by_schedule ON flows (schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX flows_by_policy ON flows (policy_id) WHERE policy_id IS NOT NULL;
CREATE INDEX flows_by_after_flow ON flows (after_flow_id) WHERE after_flow_id IS NOT NULL;

CREATE TABLE settings (
  id INTEGER PRIMARY KEY,
  definition TEXT NOT NULL,
  revision INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT definition_is_a_json_object CHECK (json_valid(definition) AND json_type(definition) = 'object')
) STRICT;

-- Collections have owners, groups and mode bits of their own.
CREATE TABLE collections (
  kind TEXT NOT NULL REFERENCES definition_kinds (word),
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (kind),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295)
) STRICT, WITHOUT ROWID;

-- The identity of this catalog: revisions that a repository was told by another catalog mean nothing here.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT key_is_not_empty CHECK (key <> '')
) STRICT;

INSERT INTO identity VALUES (1, lower(hex(randomblob(8))));

-- The last change of each definition by name, deleted names included: repositories are told of it (law 10).
CREATE TABLE definition_changes (
  kind TEXT NOT NULL REFERENCES definition_kinds (word),
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (kind, name),
  CONSTRAINT name_is_not_empty CHECK (name <> '')
) STRICT, WITHOUT ROWID;

CREATE INDEX definition_changes_in_order ON definition_changes (revision, kind, name);

-- Totals that are read often are stored, and kept by triggers.
CREATE TABLE totals (
  id INTEGER PRIMARY KEY,
  machines INTEGER NOT NULL,
  repositories INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  points INTEGER NOT NULL,  -- copies included
  bytes_stored INTEGER NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT totals_are_not_negative CHECK (
    machines >= 0 AND repositories >= 0 AND flows >= 0 AND points >= 0 AND bytes_stored >= 0)
) STRICT;

INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0);

-- DROP TABLE drops the triggers of a table, too: a migration that rebuilds one of these tables makes them again.

CREATE TRIGGER machines_count_up AFTER INSERT ON machines BEGIN
  UPDATE totals SET machines = machines + 1;
END;

CREATE TRIGGER machines_count_down AFTER DELETE ON machines BEGIN
  UPDATE totals SET machines = machines - 1;
END;

CREATE TRIGGER repositories_count_up AFTER INSERT ON repositories BEGIN
  UPDATE totals SET repositories = repositories + 1, points = points + NEW.points,
    bytes_stored = bytes_stored + NEW.bytes_stored;
END;

CREATE TRIGGER repositories_count_down AFTER DELETE ON repositories BEGIN
  UPDATE totals SET repositories = repositories - 1, points = points - OLD.points,
    bytes_stored = bytes_stored - OLD.bytes_stored;
END;

CREATE TRIGGER flows_count_up AFTER INSERT ON flows BEGIN
  UPDATE totals SET flows = flows + 1;
END;

CREATE TRIGGER flows_count_down AFTER DELETE ON flows BEGIN
  UPDATE totals SET flows = flows - 1;
END;

CREATE TRIGGER repositories_count_points AFTER UPDATE OF points, bytes_stored ON repositories BEGIN
  UPDATE totals SET points = points + NEW.points - OLD.points,
    bytes_stored = bytes_stored + NEW.bytes_stored - OLD.bytes_stored;
END;
