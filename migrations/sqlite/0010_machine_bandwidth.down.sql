ALTER TABLE machines DROP COLUMN bandwidth;
