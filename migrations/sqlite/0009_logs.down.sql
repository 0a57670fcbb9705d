DROP INDEX points_with_untold_facts;
ALTER TABLE points DROP COLUMN told_revision;
DROP TABLE log_lines;
