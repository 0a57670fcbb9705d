-- What the schema below has no words for: machines of the new drivers become incomplete, and keep their points.

ALTER TABLE leftovers DROP COLUMN driver;
ALTER TABLE point_disks DROP COLUMN source_identity;
ALTER TABLE point_disks DROP COLUMN content_sha256;
ALTER TABLE point_disks DROP COLUMN bytes_read;
ALTER TABLE point_disks DROP COLUMN read_everything;
DROP TRIGGER machines_have_what_their_driver_needs;

UPDATE machines SET driver = 'qmp', complete = 0 WHERE driver IN ('nbd', 'file');
UPDATE points SET full_reason = 'bitmap_unusable' WHERE full_reason = 'cbt_lied';
UPDATE point_disks SET full_reason = 'bitmap_unusable' WHERE full_reason = 'cbt_lied';
DELETE FROM full_reasons WHERE word = 'cbt_lied';
DELETE FROM drivers WHERE word IN ('nbd', 'file');
