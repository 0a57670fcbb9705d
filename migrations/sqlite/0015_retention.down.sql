-- Points that have gone come back: their layers are there, but what no kept point sees of them may not be. They are
-- called damaged.

ALTER TABLE machines DROP COLUMN prune_warning;
DROP INDEX machines_retired;
ALTER TABLE machines DROP COLUMN retired_keep;
ALTER TABLE machines DROP COLUMN retired_at;
DROP INDEX layers_merging;
ALTER TABLE layers DROP COLUMN merging_onto;
ALTER TABLE layers DROP COLUMN merging_image_id;
ALTER TABLE layers DROP COLUMN punched_under;
DROP INDEX points_retired;
DROP INDEX points_by_flow;
ALTER TABLE points DROP COLUMN flow_id;
UPDATE machines
SET points = points + (SELECT count(*) FROM points
                   WHERE points.machine_id = machines.id AND state = 'retired');
UPDATE repositories
SET points = points + (SELECT count(*) FROM points
                   WHERE points.repository_id = repositories.id AND state = 'retired');
UPDATE points SET state = 'committed', verified_at = time, verified_level = 'quick', verified_result = 'bad'
WHERE state = 'retired';
UPDATE points SET full_reason = 'requested' WHERE full_reason = 'by_policy';
UPDATE point_disks SET full_reason = 'requested' WHERE full_reason = 'by_policy';
DELETE FROM point_states WHERE word = 'retired';
DELETE FROM full_reasons WHERE word = 'by_policy';
