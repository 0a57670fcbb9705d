-- A machine's owner may take back his trust in what its source tells of changes.

INSERT INTO full_reasons VALUES ('cbt_reset');
ALTER TABLE points ADD COLUMN cbt_reset INTEGER NOT NULL DEFAULT 0
  CONSTRAINT cbt_reset_is_a_boolean CHECK (cbt_reset IN (0, 1));
