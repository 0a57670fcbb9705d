-- The clock as it was when it was last plausible, beside the time since the host's start, which nobody sets.
CREATE TABLE seen_clock (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  boot TEXT NOT NULL,  -- the kernel's id of that start of the host
  uptime INTEGER NOT NULL,
  CONSTRAINT there_is_one_row CHECK (id = 1)
) STRICT;
