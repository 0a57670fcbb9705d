-- Machines and repositories stay, without points. Jobs lose the column that names their chain.

DROP TABLE leftovers;
DROP TABLE verdicts;
DROP TABLE pins;
DROP TABLE copy_disks;
DROP TABLE copies;
DROP TABLE point_disks;
DROP TABLE points;
DROP TABLE layers;
DROP INDEX jobs_one_writer_a_chain;
DROP INDEX jobs_by_chain;
ALTER TABLE jobs DROP COLUMN chain_id;
DROP TABLE chains;
UPDATE repositories SET points = 0, bytes_stored = 0;
UPDATE machines SET points = 0, bytes_stored = 0, prune_due = 0, prune_warning = NULL;
DROP TABLE leftover_kinds;
DROP TABLE verdict_results;
DROP TABLE verify_levels;
DROP TABLE consistencies;
DROP TABLE full_reasons;
DROP TABLE point_kinds;
DROP TABLE point_states;
DROP TABLE compressions;
