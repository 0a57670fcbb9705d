DELETE FROM jobs WHERE type = 'repair';
DELETE FROM job_types WHERE word = 'repair';
DROP TABLE document_digests;
