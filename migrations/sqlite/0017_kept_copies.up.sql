-- Copies go by the policy of the flow that carried them, and what they rest on need be no copy any more.

CREATE TABLE new_copies (
  id INTEGER PRIMARY KEY,
  point_id INTEGER NOT NULL,
  machine_id INTEGER NOT NULL,
  repository_id INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL,  -- that carried it
  execution_id INTEGER REFERENCES executions (id) ON DELETE SET NULL,
  state TEXT NOT NULL REFERENCES point_states (word),
  kind TEXT NOT NULL REFERENCES point_kinds (word),
  created_at INTEGER NOT NULL,
  bytes_stored INTEGER NOT NULL,
  damaged INTEGER NOT NULL,  -- by its last verification
  untold INTEGER NOT NULL,  -- what is known of the point has not been written beside it
  UNIQUE (point_id, repository_id),
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE RESTRICT,
  FOREIGN KEY (machine_id, repository_id, chain_id)
    REFERENCES chains (machine_id, repository_id, id) ON DELETE RESTRICT,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT bytes_are_not_negative CHECK (bytes_stored >= 0),
  CONSTRAINT damaged_is_a_boolean CHECK (damaged IN (0, 1)),
  CONSTRAINT untold_is_a_boolean CHECK (untold IN (0, 1))
) STRICT;

INSERT INTO new_copies
SELECT id, point_id, machine_id, repository_id, chain_id,
       (SELECT flow_id FROM executions WHERE executions.id = copies.execution_id),
       execution_id, state, kind, created_at, bytes_stored, 0, 1
FROM copies;
DROP TABLE copies;
ALTER TABLE new_copies RENAME TO copies;

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

-- Not made in its repository: a copy that has become the point, since the one that was made has gone.
ALTER TABLE points ADD COLUMN carried INTEGER NOT NULL DEFAULT 0
  CONSTRAINT carried_is_a_boolean CHECK (carried IN (0, 1));
