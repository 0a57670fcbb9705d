-- Without a definition they run no more.

UPDATE flows SET type = 'backup', complete = 0, machine_id = NULL, group_id = NULL, repository_id = NULL,
  from_repository_id = NULL WHERE type = 'replication';
DELETE FROM flow_types WHERE word = 'replication';
