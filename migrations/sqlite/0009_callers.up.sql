-- Executions, pins and verdicts have their callers as the kernel told them, as events do. In rows of earlier versions the
-- caller is absent, because only a name was recorded.
ALTER TABLE executions ADD COLUMN uid INTEGER;  -- uid, gid and pid absent, too, where the daemon itself asked
ALTER TABLE executions ADD COLUMN gid INTEGER;
ALTER TABLE executions ADD COLUMN pid INTEGER
  CONSTRAINT a_caller_is_known_whole CHECK ((uid IS NULL) = (gid IS NULL) AND (uid IS NULL) = (pid IS NULL));

ALTER TABLE pins ADD COLUMN uid INTEGER;
ALTER TABLE pins ADD COLUMN gid INTEGER;
ALTER TABLE pins ADD COLUMN pid INTEGER
  CONSTRAINT a_caller_is_known_whole CHECK ((uid IS NULL) = (gid IS NULL) AND (uid IS NULL) = (pid IS NULL));

ALTER TABLE verdicts ADD COLUMN uid INTEGER;
ALTER TABLE verdicts ADD COLUMN gid INTEGER;
ALTER TABLE verdicts ADD COLUMN pid INTEGER
  CONSTRAINT a_caller_is_known_whole CHECK ((uid IS NULL) = (gid IS NULL) AND (uid IS NULL) = (pid IS NULL));
