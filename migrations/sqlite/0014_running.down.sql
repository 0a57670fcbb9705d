ALTER TABLE settings DROP COLUMN hook_timeout;
UPDATE jobs SET type = 'verify' WHERE type = 'test';
DELETE FROM job_types WHERE word = 'test';
UPDATE jobs SET reason = 'failed' WHERE reason IN ('no_machines', 'hook_failed');
UPDATE executions SET reason = 'failed' WHERE reason IN ('no_machines', 'hook_failed');
DELETE FROM end_reasons WHERE word IN ('no_machines', 'hook_failed');
