// At least one row of every table, as plain SQL that owes nothing to the stores.
//
// Ids below 100 hang together as they do in life: machine 1 with disk 2, repository 3, flow 4, execution 5
// with job 6, chain 7 with layer 8 and 9 on it, point 10 and 11 on it. Those above are there to be broken:
// nothing refers to them, or one thing alone does.
#pragma once

namespace holdfast {

constexpr const char* kSchemaRows = R"sql(
INSERT INTO machines
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, key, driver, socket)
VALUES
  (1, 'm', 0, 0, 488, 1, 1, 0, 0, 'till', 'm-1', 'qmp', '/run/m.qmp'),
  (101, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, 'spare-1', 'qmp', '/run/s.qmp'),
  (201, 'of-disk', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-disk-1', 'qmp', NULL),
  (202, 'of-tag', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-tag-1', 'qmp', NULL),
  (203, 'of-flow', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-flow-1', 'qmp', NULL),
  (204, 'of-job', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-job-1', 'qmp', NULL),
  (205, 'of-chain', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-chain-1', 'qmp', NULL),
  (206, 'of-point', 0, 0, 488, 0, 1, 0, 0, NULL, 'of-point-1', 'qmp', NULL),
  (207, 'other', 0, 0, 488, 0, 1, 0, 0, NULL, 'other-1', 'qmp', NULL);
INSERT INTO machine_tags VALUES (1, 0, 'prod'), (1, 1, 'db'), (202, 0, 'prod');
INSERT INTO disks (id, machine_id, name, node, configured, position, capacity) VALUES
  (2, 1, 'disk-0', 'n0', 1, 0, 1048576),
  (102, 1, 'old', NULL, 0, NULL, NULL),
  (112, 1, 'disk-1', 'n1', 1, 1, NULL),
  (122, 1, 'of-layer', NULL, 0, NULL, NULL),
  (212, 201, 'disk-0', 'n0', 1, 0, NULL);

INSERT INTO repositories
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, path, compression,
   compression_level, cluster_size, read_only, marker)
VALUES
  (3, 'r', 0, 0, 488, 1, 1, 0, 0, 'vault', '/srv/r', 'zstd', 1, 65536, 0, 'marker'),
  (103, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, '/srv/spare', 'zstd', 1, 65536, 0, NULL),
  (301, 'of-tag', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL),
  (302, 'of-flow', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL),
  (303, 'of-job', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL),
  (304, 'of-chain', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL),
  (305, 'of-point', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL);
INSERT INTO repository_tags VALUES (3, 0, 'fast'), (3, 1, 'near'), (301, 0, 'fast');

INSERT INTO flows
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, type, machine_id,
   repository_id, enabled)
VALUES
  (4, 'f', 0, 0, 488, 1, 1, 0, 0, 'nightly', 'backup', 1, 3, 1),
  (104, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, 'backup', 1, 3, 1),
  (401, 'of-tag', 0, 0, 488, 0, 1, 0, 0, NULL, 'backup', NULL, NULL, 1),
  (402, 'with-machine', 0, 0, 488, 0, 1, 0, 0, NULL, 'backup', 203, NULL, 1),
  (403, 'with-repository', 0, 0, 488, 0, 1, 0, 0, NULL, 'backup', NULL, 302, 1),
  (404, 'of-execution', 0, 0, 488, 0, 1, 0, 0, NULL, 'backup', NULL, NULL, 1);
INSERT INTO flow_tags VALUES (4, 0, 'daily'), (4, 1, 'gold'), (401, 0, 'daily');

INSERT INTO executions
  (id, flow_id, name, status, type, started_by, reason, message, jobs_created, jobs_completed, jobs_failed,
   jobs_skipped, machines_processed, bytes_read, bytes_transferred, bytes_stored, created_at, started_at,
   completed_at, revision)
VALUES
  (5, 4, 'r1', 'success', 'manual', '0', NULL, NULL, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 2, 1),
  (15, 4, 'r2', 'running', 'manual', '0', NULL, NULL, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL, 1),
  (105, 104, 'spare', 'warning', 'api', 'cron', 'unplanned_full', 'said why', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (501, 404, 'of-flow', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (502, 104, 'of-job', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (503, 104, 'of-point', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1);

INSERT INTO jobs
  (id, name, type, operation, owner, execution_id, machine_id, repository_id, parent_job_id, status, reason,
   message, metadata, bytes_done, bytes_total, bytes_read, bytes_transferred, bytes_stored, created_at,
   started_at, completed_at, revision)
VALUES
  (6, 'j1', 'backup', 'full', 'flows/f', 5, 1, 3, NULL, 'success', NULL, NULL, '{}', 1, 1, 1, 1, 1, 0, 1, 2, 1),
  (106, 'spare', 'backup', NULL, NULL, NULL, NULL, NULL, NULL, 'error', 'failed', 'it broke', '{"a": 1}',
   0, 0, 0, 0, 0, 0, 1, 2, 1),
  (601, 'of-execution', 'backup', NULL, NULL, 502, NULL, NULL, NULL, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1),
  (602, 'of-machine', 'backup', NULL, NULL, NULL, 204, NULL, NULL, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1),
  (603, 'of-repository', 'backup', NULL, NULL, NULL, NULL, 303, NULL, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1),
  (604, 'of-child', 'backup', NULL, NULL, NULL, NULL, NULL, NULL, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1),
  (605, 'child', 'backup', NULL, NULL, NULL, NULL, NULL, 604, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1),
  (606, 'of-point', 'backup', NULL, NULL, NULL, NULL, NULL, NULL, 'pending', NULL, NULL, '{}',
   0, 0, 0, 0, 0, 0, NULL, NULL, 1);

INSERT INTO chains VALUES
  (7, 1, 3, 0), (107, 1, 3, 0), (117, 1, 3, 0), (127, 1, 3, 0), (701, 205, 3, 0), (702, 1, 304, 0);
INSERT INTO layers VALUES
  (8, 7, 2, NULL, 't1/disk-0.qcow2', 'aa', 100),
  (9, 7, 2, 8, 't2/disk-0.qcow2', 'bb', 10),
  (108, 7, 2, NULL, 'spare/disk-0.qcow2', 'cc', 10),
  (118, 7, 112, NULL, 't1/disk-1.qcow2', 'dd', 100),
  (801, 117, 122, NULL, 'x/of-layer.qcow2', 'ee', 100),
  (802, 7, 2, NULL, 'x/below.qcow2', 'ff', 100),
  (803, 7, 2, 802, 'x/above.qcow2', 'gg', 100);

INSERT INTO points
  (id, machine_id, repository_id, chain_id, parent_point_id, execution_id, job_id, flow, execution, name,
   state, kind, full_reason, consistency, time, cluster_size, compression, bytes_stored)
VALUES
  (10, 1, 3, 7, NULL, 5, 6, 'f', 'r1', 't1', 'committed', 'full', 'no_parent', 'crash', 1, 65536, 'zstd', 9),
  (11, 1, 3, 7, 10, NULL, NULL, NULL, NULL, 't2', 'committed', 'incremental', NULL, 'crash', 2, 65536, 'zstd', 9),
  (21, 1, 3, 7, NULL, NULL, NULL, NULL, NULL, 't3', 'writing', 'full', NULL, 'crash', 3, 65536, 'zstd', 0),
  (110, 1, 3, 7, NULL, NULL, NULL, NULL, NULL, 't4', 'committed', 'full', 'requested', 'none', 4, 4096, 'none', 0),
  (111, 1, 3, 127, NULL, 503, NULL, NULL, NULL, 't5', 'committed', 'full', 'requested', 'none', 5, 4096, 'none', 0),
  (112, 1, 3, 7, NULL, NULL, 606, NULL, NULL, 't6', 'committed', 'full', 'requested', 'none', 6, 4096, 'none', 0),
  (113, 206, 3, NULL, NULL, NULL, NULL, NULL, NULL, 't1', 'writing', 'full', NULL, 'none', 7, 4096, 'none', 0),
  (114, 207, 305, NULL, NULL, NULL, NULL, NULL, NULL, 't1', 'writing', 'full', NULL, 'none', 7, 4096, 'none', 0),
  (115, 1, 3, 7, NULL, NULL, NULL, NULL, NULL, 't7', 'committed', 'full', 'requested', 'none', 7, 4096, 'none', 0),
  (116, 1, 3, 7, NULL, NULL, NULL, NULL, NULL, 't8', 'committed', 'full', 'requested', 'none', 8, 4096, 'none', 0),
  (117, 1, 3, 7, NULL, NULL, NULL, NULL, NULL, 't9', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (118, 1, 3, 7, 117, NULL, NULL, NULL, NULL, 't10', 'committed', 'incremental', NULL, 'none', 9, 4096, 'none', 0);
INSERT INTO point_disks VALUES
  (12, 10, 2, 'disk-0', 1048576, 'full', 'no_parent', 'hf-1', 100, 100, 'abc', 8),
  (13, 10, 112, 'disk-1', 1048576, 'full', 'no_parent', 'hf-1', 100, 100, 'abc', 118),
  (14, 11, 2, 'disk-0', 1048576, 'incremental', NULL, 'hf-2', 10, 100, 'abc', 9),
  (1201, 115, 2, 'disk-0', 1048576, 'full', 'requested', NULL, 10, 100, NULL, 8);
INSERT INTO leftovers VALUES
  (16, 1, 21, 'node', 'hf-node', 'json'),
  (1601, 1, 116, 'file', '/var/scratch', NULL);

INSERT INTO events VALUES
  (17, 0, 'flow.run', 'flows/f', 1000, 1000, 42, 'ok', 'asked', 'flows/f/executions/r1', 'j1'),
  (117, 0, 'daemon.start', NULL, NULL, NULL, NULL, 'ok', NULL, NULL, NULL);
)sql";

}  // namespace holdfast
