-- The spine: machines, repositories, flows, their runs, and the points that come of them.
--
-- Ids are made by the program. Times are milliseconds since 1970, UTC. What is absent is NULL, never ''.
-- Every enumeration is a table of words (catalog/model/enumerations.h), so that a new value is an insert.
-- Constraints bear names that say the law, since SQLite quotes them when they are broken.

CREATE TABLE drivers (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO drivers VALUES ('qmp');

CREATE TABLE compressions (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO compressions VALUES ('zstd'), ('deflate'), ('none');

CREATE TABLE flow_types (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO flow_types VALUES ('backup');

CREATE TABLE run_statuses (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO run_statuses VALUES
  ('pending'), ('running'), ('success'), ('warning'), ('error'), ('cancelled');

CREATE TABLE execution_types (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO execution_types VALUES ('scheduled'), ('manual'), ('api');

CREATE TABLE job_types (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO job_types VALUES ('backup');

CREATE TABLE end_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO end_reasons VALUES ('interrupted'), ('cancelled'), ('unplanned_full'), ('failed');

CREATE TABLE point_states (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO point_states VALUES ('writing'), ('committed');

CREATE TABLE point_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO point_kinds VALUES ('full'), ('incremental');

CREATE TABLE full_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO full_reasons VALUES
  ('no_parent'), ('requested'), ('no_change_id'), ('bitmap_missing'), ('bitmap_inconsistent'),
  ('bitmap_unusable'), ('capacity_changed'), ('disk_changed'), ('layout_changed'), ('parent_missing'),
  ('parent_damaged');

CREATE TABLE consistencies (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO consistencies VALUES ('filesystem'), ('crash'), ('none');

CREATE TABLE leftover_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO leftover_kinds VALUES
  ('nbd_server'), ('nbd_export'), ('block_job'), ('node'), ('bitmap'), ('file');

CREATE TABLE event_results (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO event_results VALUES ('ok'), ('refused'), ('failed');

-- What users make: machines, repositories, flows. The first columns are the same in each.

CREATE TABLE machines (
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

  key TEXT NOT NULL UNIQUE,  -- its directory in repositories; never reused
  driver TEXT NOT NULL REFERENCES drivers (word),
  socket TEXT,
  points INTEGER NOT NULL DEFAULT 0,  -- of its committed points
  bytes_stored INTEGER NOT NULL DEFAULT 0,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '' AND socket <> ''),
  CONSTRAINT a_complete_qmp_machine_has_a_socket CHECK (
    complete = 0 OR driver <> 'qmp' OR socket IS NOT NULL),
  CONSTRAINT counters_are_not_negative CHECK (points >= 0 AND bytes_stored >= 0)
) STRICT;

CREATE TABLE machine_tags (
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (machine_id, position),
  UNIQUE (machine_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

-- A disk that is no longer in its machine's definition stays for as long as points hold it.
CREATE TABLE disks (
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

CREATE TABLE repositories (
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

  path TEXT UNIQUE,
  compression TEXT NOT NULL REFERENCES compressions (word),
  compression_level INTEGER NOT NULL,
  cluster_size INTEGER NOT NULL,
  read_only INTEGER NOT NULL,
  marker TEXT,  -- the id in its holdfast.json, once it was initialised
  points INTEGER NOT NULL DEFAULT 0,  -- committed ones that lie here
  bytes_stored INTEGER NOT NULL DEFAULT 0,

  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295),
  CONSTRAINT complete_is_a_boolean CHECK (complete IN (0, 1)),
  CONSTRAINT absent_text_is_null CHECK (description <> '' AND marker <> ''),
  CONSTRAINT a_path_is_absolute CHECK (path GLOB '/*'),
  CONSTRAINT a_complete_repository_has_a_path CHECK (complete = 0 OR path IS NOT NULL),
  CONSTRAINT compression_level_is_in_range CHECK (compression_level BETWEEN 1 AND 22),
  CONSTRAINT cluster_size_is_a_power_of_two CHECK (
    cluster_size BETWEEN 4096 AND 2097152 AND (cluster_size & (cluster_size - 1)) = 0),
  CONSTRAINT read_only_is_a_boolean CHECK (read_only IN (0, 1)),
  CONSTRAINT counters_are_not_negative CHECK (points >= 0 AND bytes_stored >= 0)
) STRICT;

CREATE TABLE repository_tags (
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (repository_id, position),
  UNIQUE (repository_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE flows (
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

CREATE INDEX flows_by_machine ON flows (machine_id);
CREATE INDEX flows_by_repository ON flows (repository_id);

CREATE TABLE flow_tags (
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (flow_id, position),
  UNIQUE (flow_id, tag),
  CONSTRAINT tag_is_not_empty CHECK (tag <> '')
) STRICT, WITHOUT ROWID;

-- What runs and ran. Law 16: what has ended has an end, and nothing else has.

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

CREATE INDEX executions_by_flow ON executions (flow_id, id);
CREATE UNIQUE INDEX executions_one_active_a_flow ON executions (flow_id)
  WHERE status IN ('pending', 'running');

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL REFERENCES job_types (word),
  operation TEXT,
  owner TEXT,
  execution_id INTEGER REFERENCES executions (id) ON DELETE CASCADE,
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
CREATE INDEX jobs_by_machine ON jobs (machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX jobs_by_repository ON jobs (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_job_id) WHERE parent_job_id IS NOT NULL;
CREATE INDEX jobs_active ON jobs (id) WHERE status IN ('pending', 'running');

-- What was stored. A chain belongs to one machine in one repository. Keys of several columns keep things
-- of different machines, disks or chains from ever meeting; the UNIQUE that each of them refers to is
-- there for it alone.

CREATE TABLE chains (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  UNIQUE (machine_id, repository_id, id),
  CONSTRAINT id_is_positive CHECK (id > 0)
) STRICT;

CREATE INDEX chains_by_repository ON chains (repository_id);

CREATE TABLE layers (
  id INTEGER PRIMARY KEY,
  chain_id INTEGER NOT NULL REFERENCES chains (id) ON DELETE RESTRICT,
  disk_id INTEGER NOT NULL REFERENCES disks (id) ON DELETE RESTRICT,
  parent_layer_id INTEGER,
  file TEXT NOT NULL,  -- relative to the machine's directory in the repository
  image_id TEXT NOT NULL,
  file_bytes INTEGER NOT NULL,
  UNIQUE (chain_id, disk_id, id),
  UNIQUE (disk_id, id),
  UNIQUE (chain_id, file),
  FOREIGN KEY (chain_id, disk_id, parent_layer_id)
    REFERENCES layers (chain_id, disk_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT no_layer_rests_on_itself CHECK (parent_layer_id <> id),
  CONSTRAINT file_and_image_id_are_not_empty CHECK (file <> '' AND image_id <> ''),
  CONSTRAINT file_bytes_are_not_negative CHECK (file_bytes >= 0)
) STRICT;

CREATE INDEX layers_by_parent ON layers (parent_layer_id) WHERE parent_layer_id IS NOT NULL;

CREATE TABLE points (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE RESTRICT,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE RESTRICT,
  chain_id INTEGER,  -- known from the freeze on
  parent_point_id INTEGER REFERENCES points (id) ON DELETE RESTRICT,
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  flow TEXT,  -- names, for a point that outlives them
  execution TEXT,
  name TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES point_states (word),
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  full_reason TEXT REFERENCES full_reasons (word),
  consistency TEXT NOT NULL REFERENCES consistencies (word),
  time INTEGER NOT NULL,  -- of the freeze
  cluster_size INTEGER NOT NULL,
  compression TEXT NOT NULL REFERENCES compressions (word),
  bytes_stored INTEGER NOT NULL,
  UNIQUE (machine_id, name),
  UNIQUE (machine_id, id),
  FOREIGN KEY (machine_id, repository_id, chain_id)
    REFERENCES chains (machine_id, repository_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT absent_text_is_null CHECK (flow <> '' AND execution <> ''),
  CONSTRAINT a_full_rests_on_nothing CHECK ((kind = 'full') = (parent_point_id IS NULL)),
  CONSTRAINT what_is_committed_has_a_chain CHECK (state = 'writing' OR chain_id IS NOT NULL),
  CONSTRAINT a_full_says_why CHECK (state = 'writing' OR kind <> 'full' OR full_reason IS NOT NULL),
  CONSTRAINT no_point_rests_on_itself CHECK (parent_point_id <> id),
  CONSTRAINT numbers_are_not_negative CHECK (cluster_size >= 0 AND bytes_stored >= 0)
) STRICT;

CREATE UNIQUE INDEX points_one_writing_a_machine ON points (machine_id) WHERE state = 'writing';
CREATE INDEX points_by_machine ON points (machine_id, time, id);
CREATE INDEX points_by_place ON points (machine_id, repository_id, time, id);
CREATE INDEX points_by_repository ON points (repository_id);
CREATE INDEX points_by_chain ON points (chain_id);
CREATE INDEX points_by_parent ON points (parent_point_id) WHERE parent_point_id IS NOT NULL;
CREATE INDEX points_by_execution ON points (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX points_by_job ON points (job_id) WHERE job_id IS NOT NULL;

CREATE TABLE point_disks (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL REFERENCES points (id) ON DELETE CASCADE,
  disk_id INTEGER NOT NULL,
  name TEXT NOT NULL,  -- the disk's at that time
  capacity INTEGER NOT NULL,
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  full_reason TEXT REFERENCES full_reasons (word),
  change_id TEXT,
  bytes_stored INTEGER NOT NULL,
  bytes_used INTEGER NOT NULL,
  sums_sha256 TEXT,
  layer_id INTEGER NOT NULL,
  UNIQUE (point_id, disk_id),
  UNIQUE (point_id, name),
  FOREIGN KEY (disk_id, layer_id) REFERENCES layers (disk_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT absent_text_is_null CHECK (change_id <> '' AND sums_sha256 <> ''),
  CONSTRAINT a_full_says_why CHECK ((kind = 'full') = (full_reason IS NOT NULL)),
  CONSTRAINT numbers_are_not_negative CHECK (capacity >= 0 AND bytes_stored >= 0 AND bytes_used >= 0)
) STRICT;

CREATE INDEX point_disks_by_layer ON point_disks (disk_id, layer_id);

-- Law 8: recorded before it is made at the source. The point whose capture made it can't go before it.
CREATE TABLE leftovers (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL,
  point_id INTEGER NOT NULL,
  kind TEXT NOT NULL REFERENCES leftover_kinds (word),
  name TEXT NOT NULL,
  detail TEXT,
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_not_empty CHECK (name <> ''),
  CONSTRAINT absent_text_is_null CHECK (detail <> '')
) STRICT;

CREATE INDEX leftovers_by_machine ON leftovers (machine_id, id);
CREATE INDEX leftovers_by_point ON leftovers (point_id);

-- Law 15. Objects are named, not referred to: the log outlives what it speaks of.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  object TEXT,
  uid INTEGER,  -- all three absent: the daemon itself
  gid INTEGER,
  pid INTEGER,
  result TEXT NOT NULL REFERENCES event_results (word),
  reason TEXT,
  execution TEXT,
  job TEXT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT event_is_not_empty CHECK (event <> ''),
  CONSTRAINT absent_text_is_null CHECK (object <> '' AND reason <> '' AND execution <> '' AND job <> ''),
  CONSTRAINT a_caller_is_known_whole CHECK ((uid IS NULL) = (gid IS NULL) AND (uid IS NULL) = (pid IS NULL))
) STRICT;
