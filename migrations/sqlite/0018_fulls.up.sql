-- A full with each so many points, or with each period of the calendar; what is to be pruned still; and whose a flow's
-- job is that no run made.

CREATE TABLE calendar_periods (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO calendar_periods VALUES ('@daily'), ('@weekly'), ('@monthly'), ('@yearly');

ALTER TABLE policies ADD COLUMN full_every_points INTEGER
  CONSTRAINT full_every_points_is_positive CHECK (full_every_points > 0);
ALTER TABLE policies ADD COLUMN full_every_period TEXT REFERENCES calendar_periods (word);

ALTER TABLE chains ADD COLUMN points_made INTEGER NOT NULL DEFAULT 0;  -- also those that have gone since
UPDATE chains SET points_made =
  (SELECT count(*) FROM points WHERE points.chain_id = chains.id AND points.state <> 'writing');

-- Points or copies have gone, and what they leave behind has not been looked through to its end since.
ALTER TABLE machines ADD COLUMN prune_due INTEGER NOT NULL DEFAULT 0
  CONSTRAINT prune_due_is_a_boolean CHECK (prune_due IN (0, 1));
UPDATE machines SET prune_due = 1
WHERE EXISTS (SELECT 1 FROM points WHERE points.machine_id = machines.id AND points.state = 'retired')
   OR EXISTS (SELECT 1 FROM copies WHERE copies.machine_id = machines.id AND copies.state = 'retired');

-- What the mount warns of.
CREATE INDEX points_damaged ON points (machine_id) WHERE verified_result = 'bad' AND state = 'committed';

ALTER TABLE jobs ADD COLUMN flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL;
CREATE INDEX jobs_by_flow ON jobs (flow_id) WHERE flow_id IS NOT NULL;
