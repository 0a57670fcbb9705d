-- What a span can't say is said no more: increments for ever.

DROP INDEX points_damaged;
DROP INDEX jobs_by_flow;
ALTER TABLE jobs DROP COLUMN flow_id;
ALTER TABLE machines DROP COLUMN prune_due;
ALTER TABLE chains DROP COLUMN points_made;
ALTER TABLE policies DROP COLUMN full_every_period;
ALTER TABLE policies DROP COLUMN full_every_points;
DROP TABLE calendar_periods;
