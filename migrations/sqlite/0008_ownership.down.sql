-- Owners of collections and of events' objects are lost; drained is what only jobs of that type were.

DELETE FROM jobs WHERE type = 'drain';
DELETE FROM job_types WHERE word = 'drain';
DROP TABLE event_parts;
ALTER TABLE events DROP COLUMN owner_mode;
ALTER TABLE events DROP COLUMN owner_gid;
ALTER TABLE events DROP COLUMN owner_uid;
DROP TABLE collections;
