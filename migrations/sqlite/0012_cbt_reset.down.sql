ALTER TABLE points DROP COLUMN cbt_reset;
UPDATE points SET full_reason = 'requested' WHERE full_reason = 'cbt_reset';
UPDATE point_disks SET full_reason = 'requested' WHERE full_reason = 'cbt_reset';
DELETE FROM full_reasons WHERE word = 'cbt_reset';
