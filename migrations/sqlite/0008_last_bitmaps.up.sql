-- A bitmap of a committed point from which no run will continue.
INSERT INTO leftover_kinds VALUES ('unwanted_bitmap');
