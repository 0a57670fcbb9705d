-- What is protected and how: sources, groups, schedules, policies, credentials, the daemon's settings; and what
-- machines, disks, repositories and flows have besides. Spans of time are seconds, what is absent is NULL.

CREATE TABLE source_drivers (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO source_drivers VALUES ('libvirt');

CREATE TABLE quiesces (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO quiesces VALUES ('auto'), ('never'), ('required');

CREATE TABLE overlaps (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO overlaps VALUES ('skip'), ('queue');

CREATE TABLE missed_actions (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO missed_actions VALUES ('run_once'), ('skip');

CREATE TABLE verify_levels (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO verify_levels VALUES ('quick'), ('checksums'), ('compare');

CREATE TABLE definition_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO definition_kinds VALUES
  ('machine'), ('repository'), ('flow'), ('source'),
  ('group'), ('schedule'), ('policy'), ('credential');

-- The name of a file that only root reads. What is in it never comes here.
CREATE TABLE credentials (
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

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '')
) STRICT;

CREATE TABLE credential_tags (
  credential_id INTEGER NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (credential_id, position),
  UNIQUE (credential_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
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

  driver TEXT NOT NULL REFERENCES source_drivers (word),
  uri TEXT,
  credential_id INTEGER REFERENCES credentials (id) ON DELETE RESTRICT,
  max_jobs INTEGER NOT NULL,
  bandwidth INTEGER,  -- bytes a second
  discover_every INTEGER NOT NULL,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '' AND uri <> ''),
  CONSTRAINT a_complete_source_has_a_uri CHECK (complete = 0 OR uri IS NOT NULL),
  CONSTRAINT limits_are_positive CHECK (max_jobs > 0 AND bandwidth > 0 AND discover_every > 0)
) STRICT;

CREATE INDEX sources_by_credential ON sources (credential_id) WHERE credential_id IS NOT NULL;

CREATE TABLE source_tags (
  source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (source_id, position),
  UNIQUE (source_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
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

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '')
) STRICT;

CREATE TABLE group_tags (
  group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (group_id, position),
  UNIQUE (group_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

-- A link among the members goes with either of its ends.
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
  complete INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  description TEXT,

  cron TEXT,
  every INTEGER,
  timezone TEXT NOT NULL,
  jitter INTEGER NOT NULL,
  missed TEXT NOT NULL REFERENCES missed_actions (word),
  enabled INTEGER NOT NULL,
  next_at INTEGER,  -- when it is due, as the scheduler has worked it out

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '' AND cron <> ''),
  CONSTRAINT timezone_is_not_empty CHECK (timezone <> ''),
  CONSTRAINT a_complete_schedule_has_one_rule CHECK (complete = 0 OR (cron IS NULL) <> (every IS NULL)),
  CONSTRAINT spans_are_right CHECK (every > 0 AND jitter >= 0),
  CONSTRAINT enabled_is_a_boolean CHECK (enabled IN (0, 1))
) STRICT;

CREATE INDEX schedules_due ON schedules (next_at) WHERE enabled = 1 AND next_at IS NOT NULL;

CREATE TABLE schedule_tags (
  schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (schedule_id, position),
  UNIQUE (schedule_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_blackouts (
  schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  blackout TEXT NOT NULL,
  PRIMARY KEY (schedule_id, position),
  UNIQUE (schedule_id, blackout),
  CONSTRAINT blackout_is_not_empty CHECK (blackout <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
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

  keep_last INTEGER,
  keep_hourly INTEGER,
  keep_daily INTEGER,
  keep_weekly INTEGER,
  keep_monthly INTEGER,
  keep_yearly INTEGER,
  min_age INTEGER NOT NULL,
  full_every INTEGER,
  verify TEXT REFERENCES verify_levels (word),
  boot_check_every INTEGER,
  retries INTEGER NOT NULL,
  sample_percent INTEGER NOT NULL,
  bandwidth INTEGER,  -- bytes a second

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> ''),
  CONSTRAINT what_is_kept_is_positive CHECK (
    keep_last > 0 AND keep_hourly > 0 AND keep_daily > 0 AND keep_weekly > 0 AND keep_monthly > 0 AND
    keep_yearly > 0),
  CONSTRAINT spans_and_limits_are_right CHECK (
    min_age >= 0 AND full_every > 0 AND boot_check_every > 0 AND retries >= 0 AND bandwidth > 0),
  CONSTRAINT sample_is_a_percentage CHECK (sample_percent BETWEEN 0 AND 100)
) STRICT;

CREATE TABLE policy_tags (
  policy_id INTEGER NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (policy_id, position),
  UNIQUE (policy_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

-- The daemon's own: one row.
CREATE TABLE settings (
  id INTEGER PRIMARY KEY,
  max_concurrent_jobs INTEGER NOT NULL,
  verify_reads INTEGER NOT NULL,
  keep_executions INTEGER NOT NULL,
  events_size INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT verify_reads_is_a_boolean CHECK (verify_reads IN (0, 1)),
  CONSTRAINT limits_are_positive CHECK (max_concurrent_jobs > 0 AND keep_executions > 0 AND events_size > 0)
) STRICT;
