DROP TABLE chained_starts;
DROP INDEX schedules_unplanned;
ALTER TABLE flows DROP COLUMN after_when;
DROP TABLE after_whens;

UPDATE schedule_occurrences SET reason = 'daemon_was_down' WHERE reason = 'passed_over';
UPDATE schedule_occurrences SET reason = 'disabled' WHERE reason = 'refused';
DELETE FROM occurrence_reasons WHERE word IN ('passed_over', 'refused');
