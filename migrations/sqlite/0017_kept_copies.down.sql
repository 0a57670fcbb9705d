-- Copies that have gone come back: their layers are there, and what was given back of them fails its checksums. One
-- that rests on no copy is called full: there is no word for what it rests on.

DROP TRIGGER copies_are_untold;
ALTER TABLE points DROP COLUMN carried;

-- What nobody has any more is no copy: its layers are given back as soon as nothing rests on them.
UPDATE repositories
SET bytes_stored = bytes_stored - (
  SELECT coalesce(sum(copies.bytes_stored), 0) FROM copies JOIN points ON points.id = copies.point_id
  WHERE copies.repository_id = repositories.id AND copies.state = 'retired' AND points.state = 'retired');
DELETE FROM copy_disks
WHERE copy_id IN (SELECT copies.id FROM copies JOIN points ON points.id = copies.point_id
                  WHERE copies.state = 'retired' AND points.state = 'retired');
DELETE FROM copies
WHERE state = 'retired' AND (SELECT state FROM points WHERE points.id = copies.point_id) = 'retired';

UPDATE repositories
SET points = points + (SELECT count(*) FROM copies
                   WHERE copies.repository_id = repositories.id AND state = 'retired');
UPDATE copies SET state = 'committed' WHERE state = 'retired';

CREATE TABLE old_copies (
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

INSERT INTO old_copies
SELECT id, point_id, machine_id, repository_id, chain_id, below, execution_id, state,
       CASE WHEN below IS NULL THEN 'full' ELSE 'incremental' END, created_at, bytes_stored
FROM (SELECT copies.*,
             (SELECT beneath.copy_id
              FROM copy_disks AS above JOIN layers ON layers.id = above.layer_id
              JOIN copy_disks AS beneath
                ON beneath.disk_id = layers.disk_id AND beneath.layer_id = layers.parent_layer_id
              WHERE above.copy_id = copies.id AND copies.kind = 'incremental' LIMIT 1) AS below
      FROM copies);
DROP TABLE copies;
ALTER TABLE old_copies RENAME TO copies;

CREATE INDEX copies_by_point ON copies (machine_id, point_id);
CREATE INDEX copies_by_repository ON copies (repository_id);
CREATE INDEX copies_by_chain ON copies (chain_id);
CREATE INDEX copies_by_parent ON copies (parent_copy_id) WHERE parent_copy_id IS NOT NULL;
CREATE INDEX copies_by_execution ON copies (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX copies_being_written ON copies (id) WHERE state = 'writing';
