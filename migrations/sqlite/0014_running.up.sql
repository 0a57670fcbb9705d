-- What executions can come to, and what is tried out; how long a hook may take.

INSERT INTO end_reasons VALUES ('no_machines'), ('hook_failed');
INSERT INTO job_types VALUES ('test');
ALTER TABLE settings ADD COLUMN hook_timeout INTEGER NOT NULL DEFAULT 300
  CONSTRAINT hook_timeout_is_positive CHECK (hook_timeout > 0);
