-- Garbage collections of repositories.
INSERT INTO job_types VALUES ('gc');
