-- A repository counts its commits (law 21). A row made before this version gets its number with the next commit.
ALTER TABLE repositories ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;  -- the highest number that this catalog gave
ALTER TABLE repositories ADD COLUMN missed_commits INTEGER;  -- the highest number there when it was found to lack some
ALTER TABLE points ADD COLUMN sequence INTEGER;
ALTER TABLE copies ADD COLUMN sequence INTEGER;

DROP INDEX points_in_sequence_by_place;
CREATE INDEX points_in_sequence_by_place ON points (machine_id, repository_id, sequence, id);
