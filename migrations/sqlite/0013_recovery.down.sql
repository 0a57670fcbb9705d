DELETE FROM definition_changes WHERE kind IN ('settings', 'collections');
DELETE FROM definition_kinds WHERE word IN ('settings', 'collections');
DELETE FROM jobs WHERE type = 'rescan';
DELETE FROM job_types WHERE word = 'rescan';
ALTER TABLE identity DROP COLUMN recovered_at;
