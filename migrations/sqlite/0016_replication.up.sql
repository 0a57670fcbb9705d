-- Flows that carry points into another repository.

INSERT INTO flow_types VALUES ('replication');
