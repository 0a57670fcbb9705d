-- What jobs tell while they run; and which points have facts that their repository was not told yet.

CREATE TABLE log_lines (
  id INTEGER PRIMARY KEY,
  job_id INTEGER REFERENCES jobs (id) ON DELETE CASCADE,
  execution_id INTEGER REFERENCES executions (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  CONSTRAINT id_is_positive CHECK (id > 0),
  CONSTRAINT somebody_tells_it CHECK (job_id IS NOT NULL OR execution_id IS NOT NULL),
  CONSTRAINT text_is_not_empty CHECK (text <> '')
) STRICT;

CREATE INDEX log_lines_by_job ON log_lines (job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX log_lines_by_execution ON log_lines (execution_id, id) WHERE execution_id IS NOT NULL;

-- The revision of what facts.json says. A point that nothing was added to has 0, and no such file.
ALTER TABLE points ADD COLUMN told_revision INTEGER NOT NULL DEFAULT 0;
UPDATE points SET told_revision = revision;
CREATE INDEX points_with_untold_facts ON points (repository_id, id) WHERE revision > told_revision;
