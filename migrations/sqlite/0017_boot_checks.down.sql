ALTER TABLE machines DROP COLUMN proven_to_boot_at;
ALTER TABLE machines DROP COLUMN boot_checked_at;
DROP TABLE boot_checks;
DROP TABLE accelerators;
UPDATE jobs SET reason = 'failed' WHERE reason = 'boot_failed';
UPDATE executions SET reason = 'failed' WHERE reason = 'boot_failed';
DELETE FROM end_reasons WHERE word = 'boot_failed';
DELETE FROM jobs WHERE type = 'boot_check';
DELETE FROM job_types WHERE word = 'boot_check';
