-- How fast a machine's source may be read, in bytes a second.

ALTER TABLE machines ADD COLUMN bandwidth INTEGER CONSTRAINT machine_bandwidth_is_positive CHECK (bandwidth > 0);
