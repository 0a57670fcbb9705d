-- What is asked so often that it is kept: how many there are of each, and which definitions have changed.

CREATE TABLE totals (
  id INTEGER PRIMARY KEY,
  machines INTEGER NOT NULL,
  repositories INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  points INTEGER NOT NULL,  -- copies included
  bytes_stored INTEGER NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT totals_are_not_negative CHECK (
    machines >= 0 AND repositories >= 0 AND flows >= 0 AND points >= 0 AND bytes_stored >= 0)
) STRICT;

INSERT INTO totals
SELECT 1, (SELECT count(*) FROM machines), (SELECT count(*) FROM repositories), (SELECT count(*) FROM flows),
       coalesce(sum(points), 0), coalesce(sum(bytes_stored), 0)
FROM repositories;

-- DROP TABLE takes a table's triggers along: a migration that makes one of these tables anew makes its
-- triggers anew as well.

CREATE TRIGGER machines_count_up AFTER INSERT ON machines BEGIN
  UPDATE totals SET machines = machines + 1;
END;

CREATE TRIGGER machines_count_down AFTER DELETE ON machines BEGIN
  UPDATE totals SET machines = machines - 1;
END;

CREATE TRIGGER repositories_count_up AFTER INSERT ON repositories BEGIN
  UPDATE totals SET repositories = repositories + 1, points = points + NEW.points,
    bytes_stored = bytes_stored + NEW.bytes_stored;
END;

CREATE TRIGGER repositories_count_down AFTER DELETE ON repositories BEGIN
  UPDATE totals SET repositories = repositories - 1, points = points - OLD.points,
    bytes_stored = bytes_stored - OLD.bytes_stored;
END;

CREATE TRIGGER flows_count_up AFTER INSERT ON flows BEGIN
  UPDATE totals SET flows = flows + 1;
END;

CREATE TRIGGER flows_count_down AFTER DELETE ON flows BEGIN
  UPDATE totals SET flows = flows - 1;
END;

CREATE TRIGGER repositories_count_points AFTER UPDATE OF points, bytes_stored ON repositories BEGIN
  UPDATE totals SET points = points + NEW.points - OLD.points,
    bytes_stored = bytes_stored + NEW.bytes_stored - OLD.bytes_stored;
END;

-- Which catalog this is: what a repository was told by another one says nothing of this one's changes.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1),
  CONSTRAINT key_is_not_empty CHECK (key <> '')
) STRICT;

INSERT INTO identity VALUES (1, lower(hex(randomblob(8))));

-- The last change of each definition by name, also of names that are no more: what repositories have yet to
-- be told (law 10).
CREATE TABLE definition_changes (
  kind TEXT NOT NULL REFERENCES definition_kinds (word),
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (kind, name),
  CONSTRAINT name_is_not_empty CHECK (name <> '')
) STRICT, WITHOUT ROWID;

CREATE INDEX definition_changes_in_order ON definition_changes (revision, kind, name);

INSERT INTO definition_changes
SELECT 'machine', name, revision FROM machines
UNION ALL SELECT 'repository', name, revision FROM repositories
UNION ALL SELECT 'flow', name, revision FROM flows;
