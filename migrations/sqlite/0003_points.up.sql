-- Points: chains, layers, points with their copies, what people say of points, and what captures left at sources.
--
-- A chain belongs to one machine in one repository. Keys of several columns keep rows of different machines, disks or
-- chains apart; the UNIQUE that such a key refers to exists for that key alone.

CREATE TABLE compressions (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO compressions VALUES ('zstd'), ('deflate'), ('none');

-- retired: the point is gone, some of its layers are still there.
CREATE TABLE point_states (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO point_states VALUES ('writing'), ('committed'), ('retired');

CREATE TABLE point_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO point_kinds VALUES ('full'), ('incremental');

CREATE TABLE full_reasons (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO full_reasons VALUES
  ('no_parent'), ('requested'), ('cbt_reset'), ('no_change_id'), ('bitmap_missing'), ('bitmap_inconsistent'),
  ('bitmap_unusable'), ('capacity_changed'), ('disk_changed'), ('layout_changed'), ('parent_missing'),
  ('parent_damaged'), ('cbt_lied'), ('by_policy');

CREATE TABLE consistencies (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO consistencies VALUES ('filesystem'), ('crash'), ('none');

CREATE TABLE verify_levels (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO verify_levels VALUES ('quick'), ('checksums'), ('compare');

CREATE TABLE verdict_results (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO verdict_results VALUES ('good'), ('bad');

CREATE TABLE leftover_kinds (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO leftover_kinds VALUES
  ('nbd_server'), ('nbd_export'), ('block_job'), ('node'), ('bitmap'), ('file'), ('drive'), ('fsfreeze');

CREATE TABLE chains (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  points_made INTEGER NOT NULL DEFAULT 0,  -- including points that have gone since
  UNIQUE (machine_id, repository_id, id),
  CONSTRAINT id_is_positive CHECK (id > 0)
) STRICT;

CREATE INDEX chains_by_repository ON chains (repository_id);

-- The chain that a job writes to: one writer at a time, whatever the job's type.
ALTER TABLE jobs ADD COLUMN chain_id INTEGER REFERENCES chains (id) ON DELETE SET NULL;
CREATE INDEX jobs_by_chain ON jobs (chain_id) WHERE chain_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_writer_a_chain ON jobs (chain_id)
  WHERE chain_id IS NOT NULL AND status IN ('pending', 'running');

CREATE TABLE layers (
  id INTEGER PRIMARY KEY,
  chain_id INTEGER NOT NULL REFERENCES chains (id) ON DELETE RESTRICT,
  disk_id INTEGER NOT NULL REFERENCES disks (id) ON DELETE RESTRICT,
  parent_layer_id INTEGER,
  file TEXT NOT NULL,  -- relative to the machine's directory in the repository
  image_id TEXT NOT NULL,
  file_bytes INTEGER NOT NULL,
  punched_under INTEGER NOT NULL DEFAULT 0,  -- layer of the oldest point that saw it when hidden clusters were freed
  merging_image_id TEXT,  -- image that is about to replace this one
  merging_onto INTEGER,  -- layer that the new image rests on
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
CREATE INDEX layers_merging ON layers (chain_id) WHERE merging_image_id IS NOT NULL;

CREATE TABLE points (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE RESTRICT,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE RESTRICT,
  chain_id INTEGER,  -- known from the freeze on
  parent_point_id INTEGER REFERENCES points (id) ON DELETE RESTRICT,
  flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,  -- the flow that made it: its policy judges the point
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  job_id INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  flow TEXT,  -- names, for a point that outlives flow and execution
  execution TEXT,
  name TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES point_states (word),
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  full_reason TEXT REFERENCES full_reasons (word),
  consistency TEXT NOT NULL REFERENCES consistencies (word),
  time INTEGER NOT NULL,  -- instant of the freeze
  cluster_size INTEGER NOT NULL,
  compression TEXT NOT NULL REFERENCES compressions (word),
  bytes_stored INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,  -- grows with its facts; 0: none was added since the commit
  told_revision INTEGER NOT NULL DEFAULT 0,  -- revision of facts.json in the repository
  carried INTEGER NOT NULL DEFAULT 0,  -- 1: a copy until the point itself went
  cbt_reset INTEGER NOT NULL DEFAULT 0,  -- 1: change ids are not trusted any more
  verified_at INTEGER,
  verified_level TEXT REFERENCES verify_levels (word),
  verified_result TEXT REFERENCES verdict_results (word),
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
  CONSTRAINT numbers_are_not_negative CHECK (cluster_size >= 0 AND bytes_stored >= 0),
  CONSTRAINT carried_is_a_boolean CHECK (carried IN (0, 1)),
  CONSTRAINT cbt_reset_is_a_boolean CHECK (cbt_reset IN (0, 1)),
  CONSTRAINT a_verification_has_time_and_level CHECK ((verified_at IS NULL) = (verified_level IS NULL)),
  CONSTRAINT a_verification_has_time_and_result CHECK ((verified_at IS NULL) = (verified_result IS NULL))
) STRICT;

CREATE UNIQUE INDEX points_one_writing_a_machine ON points (machine_id) WHERE state = 'writing';
CREATE INDEX points_by_machine ON points (machine_id, time, id);
CREATE INDEX points_by_place ON points (machine_id, repository_id, time, id);
CREATE INDEX points_by_repository ON points (repository_id);
CREATE INDEX points_by_chain ON points (chain_id);
CREATE INDEX points_by_parent ON points (parent_point_id) WHERE parent_point_id IS NOT NULL;
CREATE INDEX points_by_flow ON points (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX points_by_execution ON points (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX points_by_job ON points (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX points_by_verification ON points (repository_id, verified_at) WHERE verified_at IS NOT NULL;
CREATE INDEX points_with_untold_facts ON points (repository_id, id) WHERE revision > told_revision;
CREATE INDEX points_retired ON points (machine_id, repository_id, id) WHERE state = 'retired';
CREATE INDEX points_damaged ON points (machine_id) WHERE verified_result = 'bad' AND state = 'committed';

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
  qcow2_bytes INTEGER,  -- size of the disk as one flat qcow2
  read_everything INTEGER NOT NULL,
  bytes_read INTEGER,
  content_sha256 TEXT,
  source_identity TEXT,
  UNIQUE (point_id, disk_id),
  UNIQUE (point_id, name),
  FOREIGN KEY (disk_id, layer_id) REFERENCES layers (disk_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_is_a_name CHECK (
    length(name) <= 128 AND name GLOB '[A-Za-z0-9_-]*' AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
  CONSTRAINT absent_text_is_null CHECK (
    change_id <> '' AND sums_sha256 <> '' AND content_sha256 <> '' AND source_identity <> ''),
  CONSTRAINT a_full_says_why CHECK ((kind = 'full') = (full_reason IS NOT NULL)),
  CONSTRAINT read_everything_is_a_boolean CHECK (read_everything IN (0, 1)),
  CONSTRAINT numbers_are_not_negative CHECK (
    capacity >= 0 AND bytes_stored >= 0 AND bytes_used >= 0 AND qcow2_bytes >= 0 AND bytes_read >= 0)
) STRICT;

CREATE INDEX point_disks_by_layer ON point_disks (disk_id, layer_id);

-- The same point in another repository, on a chain of that repository.
CREATE TABLE copies (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL,
  machine_id INTEGER NOT NULL,
  repository_id INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,  -- the flow that carried it: its policy judges the copy
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  state TEXT NOT NULL REFERENCES point_states (word),
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  created_at INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  damaged INTEGER NOT NULL,  -- found by the last verification
  untold INTEGER NOT NULL,  -- the facts about the point have yet to be written beside the copy
  UNIQUE (point_id, repository_id),
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE RESTRICT,
  FOREIGN KEY (machine_id, repository_id, chain_id)
    REFERENCES chains (machine_id, repository_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT bytes_are_not_negative CHECK (bytes_stored >= 0),
  CONSTRAINT damaged_is_a_boolean CHECK (damaged IN (0, 1)),
  CONSTRAINT untold_is_a_boolean CHECK (untold IN (0, 1))
) STRICT;

CREATE INDEX copies_by_point ON copies (machine_id, point_id);
CREATE INDEX copies_by_repository ON copies (repository_id);
CREATE INDEX copies_by_chain ON copies (chain_id);
CREATE INDEX copies_by_flow ON copies (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX copies_by_execution ON copies (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX copies_being_written ON copies (id) WHERE state = 'writing';
CREATE INDEX copies_untold ON copies (repository_id, id) WHERE untold = 1;
CREATE INDEX copies_retired ON copies (machine_id, repository_id, id) WHERE state = 'retired';

CREATE TRIGGER copies_are_untold AFTER UPDATE OF revision ON points BEGIN
  UPDATE copies SET untold = 1 WHERE machine_id = new.machine_id AND point_id = new.id;
END;

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

-- Law 12: a pin holds its point for as long as the pin's row exists.
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

-- Law 8: recorded before it is made at the source. The point whose capture made it can't go before it.
CREATE TABLE leftovers (
  id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL,
  point_id INTEGER NOT NULL,
  kind TEXT NOT NULL REFERENCES leftover_kinds (word),
  name TEXT NOT NULL,
  detail TEXT,
  driver TEXT NOT NULL,  -- the driver that made it: the machine may have another one by now
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT name_and_driver_are_not_empty CHECK (name <> '' AND driver <> ''),
  CONSTRAINT absent_text_is_null CHECK (detail <> '')
) STRICT;

CREATE INDEX leftovers_by_machine ON leftovers (machine_id, id);
CREATE INDEX leftovers_by_point ON leftovers (point_id);
