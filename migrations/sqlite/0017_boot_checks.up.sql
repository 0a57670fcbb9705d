-- Boot checks: the last attempt to boot each point, with a picture of its screen.
INSERT INTO job_types VALUES ('boot_check');
INSERT INTO end_reasons VALUES ('boot_failed');

CREATE TABLE accelerators (word TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO accelerators VALUES ('tcg'), ('kvm');

CREATE TABLE boot_checks (
  point_id INTEGER PRIMARY KEY,
  machine_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  result TEXT NOT NULL REFERENCES verdict_results (word),
  reason TEXT,
  expect TEXT NOT NULL,
  accelerator TEXT NOT NULL REFERENCES accelerators (word),
  took INTEGER NOT NULL,
  screenshot BLOB,  -- a PNG
  FOREIGN KEY (machine_id, point_id) REFERENCES points (machine_id, id) ON DELETE CASCADE,
  CONSTRAINT a_failure_says_why CHECK ((result = 'bad') = (reason IS NOT NULL)),
  CONSTRAINT absent_text_is_null CHECK (reason <> '')
) STRICT;

-- Both outlive the points that were checked.
ALTER TABLE machines ADD COLUMN boot_checked_at INTEGER;
ALTER TABLE machines ADD COLUMN proven_to_boot_at INTEGER;

CREATE INDEX boot_checks_by_machine ON boot_checks (machine_id, at);
