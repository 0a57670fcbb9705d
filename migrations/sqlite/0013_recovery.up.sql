-- Recovery: a catalog that began again from a repository starts nothing by itself until a person says so.
ALTER TABLE identity ADD COLUMN recovered_at INTEGER;  -- NULL: nobody is asked

INSERT INTO job_types VALUES ('rescan');

-- Repositories carry the settings and the owners of collections, too, and are told all definitions once more.
INSERT INTO definition_kinds VALUES ('settings'), ('collections');
INSERT INTO definition_changes
  SELECT 'settings', 'settings', (SELECT coalesce(max(revision), 0) + 1 FROM definition_changes) FROM settings;
INSERT INTO definition_changes
  SELECT 'collections', 'collections', (SELECT coalesce(max(revision), 0) + 1 FROM definition_changes)
  FROM collections LIMIT 1;
UPDATE definition_changes SET revision = (SELECT max(revision) + 1 FROM definition_changes);
