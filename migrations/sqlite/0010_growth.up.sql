-- Sizes of repositories by day: from their growth follows when they will be full.
CREATE TABLE repository_sizes (
  repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,  -- since 1970, in UTC
  at INTEGER NOT NULL,  -- the last change of that day
  bytes_stored INTEGER NOT NULL,  -- the size after that change
  PRIMARY KEY (repository_id, day),
  CONSTRAINT bytes_are_not_negative CHECK (bytes_stored >= 0)
) STRICT, WITHOUT ROWID;
