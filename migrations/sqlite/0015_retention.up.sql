-- Retention: which flow has made a point, what stays of points that have gone, machines that are retired.

INSERT INTO full_reasons VALUES ('by_policy');

-- No point any more: its layers are there for as long as what rests on them is.
INSERT INTO point_states VALUES ('retired');

ALTER TABLE points ADD COLUMN flow_id INTEGER REFERENCES flows (id) ON DELETE SET NULL;
UPDATE points SET flow_id = (SELECT flow_id FROM executions WHERE executions.id = points.execution_id);
CREATE INDEX points_by_flow ON points (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX points_retired ON points (machine_id, repository_id, id) WHERE state = 'retired';

-- What nobody sees of it was given back for this layer's point, which was then the oldest to see it.
ALTER TABLE layers ADD COLUMN punched_under INTEGER NOT NULL DEFAULT 0;
-- An image that is about to take this one's place, and the layer that it will rest on.
ALTER TABLE layers ADD COLUMN merging_image_id TEXT;
ALTER TABLE layers ADD COLUMN merging_onto INTEGER;
CREATE INDEX layers_merging ON layers (chain_id) WHERE merging_image_id IS NOT NULL;

ALTER TABLE machines ADD COLUMN retired_at INTEGER;
ALTER TABLE machines ADD COLUMN retired_keep INTEGER;  -- seconds, from then on
CREATE INDEX machines_retired ON machines (id) WHERE retired_at IS NOT NULL;
ALTER TABLE machines ADD COLUMN prune_warning TEXT;  -- why the last pruning could not do all that it should
