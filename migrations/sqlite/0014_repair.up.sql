-- Repair: the digests of the documents beside each point, so that a changed one shows.
CREATE TABLE document_digests (
  point_id INTEGER NOT NULL REFERENCES points (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  manifest_sha256 TEXT NOT NULL,  -- '': unknown
  facts_sha256 TEXT NOT NULL,  -- '': unknown, or never told
  PRIMARY KEY (point_id, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_digests_by_repository ON document_digests (repository_id);

INSERT INTO job_types VALUES ('repair');
