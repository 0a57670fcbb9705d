-- NBD servers and plain files as sources: what their machines must have, and what is kept of a disk whose source
-- can't tell its changes.

INSERT INTO drivers VALUES ('nbd'), ('file');
INSERT INTO full_reasons VALUES ('cbt_lied');

-- A definition is put together disks first, the machine's own row last.
CREATE TRIGGER machines_have_what_their_driver_needs
BEFORE UPDATE OF complete, driver ON machines
WHEN NEW.complete = 1 AND EXISTS (
  SELECT 1 FROM disks
  WHERE machine_id = NEW.id AND configured = 1
    AND ((NEW.driver = 'nbd' AND uri IS NULL) OR (NEW.driver = 'file' AND path IS NULL)))
BEGIN
  SELECT RAISE(ABORT, 'constraint failed: machines_have_what_their_driver_needs');
END;

-- Of points from before this, only that fulls had been read whole is known.
ALTER TABLE point_disks ADD COLUMN read_everything INTEGER NOT NULL DEFAULT 1
  CONSTRAINT read_everything_is_a_boolean CHECK (read_everything IN (0, 1));
ALTER TABLE point_disks ADD COLUMN bytes_read INTEGER
  CONSTRAINT bytes_read_are_not_negative CHECK (bytes_read >= 0);
ALTER TABLE point_disks ADD COLUMN content_sha256 TEXT
  CONSTRAINT absent_content_is_null CHECK (content_sha256 <> '');
ALTER TABLE point_disks ADD COLUMN source_identity TEXT
  CONSTRAINT absent_identity_is_null CHECK (source_identity <> '');
UPDATE point_disks SET read_everything = 0 WHERE kind = 'incremental';

-- A machine may have another driver by the time that what is left is swept.
ALTER TABLE leftovers ADD COLUMN driver TEXT NOT NULL DEFAULT 'qmp' REFERENCES drivers (word);
