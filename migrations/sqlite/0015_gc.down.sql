DELETE FROM jobs WHERE type = 'gc';
DELETE FROM job_types WHERE word = 'gc';
