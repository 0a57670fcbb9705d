-- What the scheduler needs: more reasons, when a flow that runs after another one does so, and starts that wait.

INSERT INTO occurrence_reasons VALUES ('passed_over'), ('refused');

CREATE TABLE after_whens (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO after_whens VALUES ('success'), ('always');

ALTER TABLE flows ADD COLUMN after_when TEXT NOT NULL DEFAULT 'success' REFERENCES after_whens (word);

CREATE INDEX schedules_unplanned ON schedules (id) WHERE next_at IS NULL AND enabled = 1 AND complete = 1;

-- Flows whose turn has come since the flow before them has ended.
CREATE TABLE chained_starts (
  flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  after_flow_id INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (flow_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX chained_starts_by_after_flow ON chained_starts (after_flow_id);
