-- Who may: collections have owners, groups and mode bits of their own, an event knows whose its object was when it
-- happened, and the event log is cut into parts by its size.

CREATE TABLE collections (
  kind TEXT NOT NULL REFERENCES definition_kinds (word),
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (kind),
  CONSTRAINT mode_is_permission_bits CHECK (mode BETWEEN 0 AND 4095),
  CONSTRAINT uid_and_gid_are_unsigned CHECK (uid BETWEEN 0 AND 4294967295 AND gid BETWEEN 0 AND 4294967295)
) STRICT, WITHOUT ROWID;

-- All three absent: root's alone. So are all events from before this.
ALTER TABLE events ADD COLUMN owner_uid INTEGER
  CONSTRAINT owner_uid_is_unsigned CHECK (owner_uid BETWEEN 0 AND 4294967295);
ALTER TABLE events ADD COLUMN owner_gid INTEGER
  CONSTRAINT owner_gid_is_unsigned CHECK (owner_gid BETWEEN 0 AND 4294967295);
ALTER TABLE events ADD COLUMN owner_mode INTEGER
  CONSTRAINT owner_mode_is_permission_bits CHECK (owner_mode BETWEEN 0 AND 4095)
  CONSTRAINT an_owner_is_known_whole CHECK (
    (owner_uid IS NULL) = (owner_gid IS NULL) AND (owner_uid IS NULL) = (owner_mode IS NULL));

CREATE TABLE event_parts (
  id INTEGER PRIMARY KEY,  -- its events have greater ids, up to that of the next part
  bytes INTEGER NOT NULL,  -- what their lines take, about
  CONSTRAINT id_is_not_negative CHECK (id >= 0),
  CONSTRAINT bytes_are_not_negative CHECK (bytes >= 0)
) STRICT;
INSERT INTO event_parts
SELECT 0, coalesce(sum(250 + length(coalesce(reason, ''))), 0) FROM events;

INSERT INTO job_types VALUES ('drain');
