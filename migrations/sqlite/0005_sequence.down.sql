DROP INDEX points_one_writing_a_place;
CREATE UNIQUE INDEX points_one_writing_a_machine ON points (machine_id) WHERE state = 'writing';
DROP INDEX points_in_sequence_by_place;
DROP INDEX points_in_sequence;
