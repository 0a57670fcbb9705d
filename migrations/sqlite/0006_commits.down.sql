DROP INDEX points_in_sequence_by_place;
CREATE INDEX points_in_sequence_by_place ON points (machine_id, repository_id, id);
ALTER TABLE copies DROP COLUMN sequence;
ALTER TABLE points DROP COLUMN sequence;
ALTER TABLE repositories DROP COLUMN missed_commits;
ALTER TABLE repositories DROP COLUMN commits;
