-- Parents and `latest` go by the sequence of commits, never by the clock (law 21).
CREATE INDEX points_in_sequence ON points (machine_id, id);
CREATE INDEX points_in_sequence_by_place ON points (machine_id, repository_id, id);

-- A point that was cut off, in a repository that is away, keeps no run into another one from beginning (law 20).
DROP INDEX points_one_writing_a_machine;
CREATE UNIQUE INDEX points_one_writing_a_place ON points (machine_id, repository_id) WHERE state = 'writing';
