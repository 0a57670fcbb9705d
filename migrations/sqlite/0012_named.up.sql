-- Events have the owners, at that time, of the objects that they name beside their own, so that a reader of the event is
-- shown no name that was hidden from the reader: {"flows/f": [uid, gid, mode]}. Absent in rows of earlier versions.
ALTER TABLE events ADD COLUMN named TEXT;
