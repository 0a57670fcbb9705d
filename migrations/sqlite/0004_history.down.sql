DROP TABLE log_lines;
DROP TABLE event_parts;
DROP TABLE events;
DROP TABLE event_results;
