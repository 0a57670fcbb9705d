-- When anything of a repository was last verified is asked with its status.

CREATE INDEX points_by_verification ON points (repository_id, verified_at) WHERE verified_at IS NOT NULL;
