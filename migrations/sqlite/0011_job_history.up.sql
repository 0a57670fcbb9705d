-- The history of jobs outside of executions is kept for each machine, and for each repository, so that no object's jobs
-- push out another's.
CREATE INDEX jobs_alone_of_machine ON jobs (machine_id, id) WHERE execution_id IS NULL;
CREATE INDEX jobs_alone_of_repository ON jobs (repository_id, id)
  WHERE execution_id IS NULL AND machine_id IS NULL AND flow_id IS NULL;
