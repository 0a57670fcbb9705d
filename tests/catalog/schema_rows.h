// Rows of every table, as plain SQL that uses no store.
//
// Rows with ids below 100 refer to each other as in life: machine 1 with disk 2, repository 3, flow 4,
// execution 5 with job 6, chain 7 with layer 8 and 9 on it, point 10 and 11 on it. Rows above exist to be
// broken: nothing refers to them, or exactly one row does.
#pragma once

namespace holdfast {

constexpr const char* kSchemaRows = R"sql(
INSERT INTO machines (id, name, uid, gid, mode, definition, revision, created_at, changed_at, key) VALUES
  (1, 'm', 0, 0, 488, '{}', 1, 0, 0, 'm-1'),
  (101, 'spare', 0, 0, 488, '{}', 1, 0, 0, 'spare-1'),
  (201, 'of-disk', 0, 0, 488, NULL, 1, 0, 0, 'of-disk-1'),
  (202, 'of-member', 0, 0, 488, NULL, 1, 0, 0, 'of-member-1'),
  (203, 'of-flow', 0, 0, 488, NULL, 1, 0, 0, 'of-flow-1'),
  (204, 'of-job', 0, 0, 488, NULL, 1, 0, 0, 'of-job-1'),
  (205, 'of-chain', 0, 0, 488, NULL, 1, 0, 0, 'of-chain-1'),
  (206, 'of-point', 0, 0, 488, NULL, 1, 0, 0, 'of-point-1'),
  (207, 'other', 0, 0, 488, NULL, 1, 0, 0, 'other-1');
INSERT INTO groups (id, name, uid, gid, mode, definition, revision, created_at, changed_at) VALUES
  (22, 'g', 0, 0, 488, '{}', 1, 0, 0),
  (122, 'spare', 0, 0, 488, '{}', 1, 0, 0),
  (2202, 'of-member', 0, 0, 488, '{}', 1, 0, 0),
  (2203, 'of-flow', 0, 0, 488, '{}', 1, 0, 0);
INSERT INTO group_members VALUES (22, 1, 1), (22, 207, 0), (2202, 101, 1), (122, 202, 1);
INSERT INTO schedules (id, name, uid, gid, mode, definition, revision, created_at, changed_at, next_at) VALUES
  (23, 'h', 0, 0, 488, '{"enabled":true}', 1, 0, 0, 5),
  (123, 'spare', 0, 0, 488, '{"enabled":true}', 1, 0, 0, NULL),
  (2302, 'of-flow', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (2303, 'of-occurrence', 0, 0, 488, NULL, 1, 0, 0, NULL);
INSERT INTO policies (id, name, uid, gid, mode, definition, revision, created_at, changed_at) VALUES
  (24, 'p', 0, 0, 488, '{}', 1, 0, 0),
  (124, 'spare', 0, 0, 488, '{}', 1, 0, 0),
  (2402, 'of-flow', 0, 0, 488, '{}', 1, 0, 0),
  (2403, 'of-turn', 0, 0, 488, '{}', 1, 0, 0);
INSERT INTO settings VALUES (1, '{}', 1, 0);
INSERT INTO identity VALUES (1, 'abc', NULL);
INSERT INTO seen_clock VALUES (1, 0, 'abc', 0);
INSERT INTO definition_changes VALUES ('machine', 'm', 1);
UPDATE totals SET bytes_stored = 1000;

INSERT INTO disks (id, machine_id, name, key, source_identity, configured, position, capacity) VALUES
  (2, 1, 'disk-0', 'k1', 'inode 5', 1, 0, 1048576),
  (102, 1, 'old', 'k2', NULL, 0, NULL, NULL),
  (112, 1, 'disk-1', 'k3', NULL, 1, 1, NULL),
  (122, 1, 'of-layer', 'k4', NULL, 0, NULL, NULL),
  (212, 201, 'disk-0', 'k5', NULL, 1, 0, NULL);

INSERT INTO repositories (id, name, uid, gid, mode, definition, revision, created_at, changed_at, marker) VALUES
  (3, 'r', 0, 0, 488, '{"path":"/srv/r"}', 1, 0, 0, 'marker'),
  (103, 'spare', 0, 0, 488, '{"path":"/srv/spare"}', 1, 0, 0, NULL),
  (302, 'of-flow', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (303, 'of-job', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (304, 'of-chain', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (305, 'of-point', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (306, 'of-from', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (307, 'of-size', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (308, 'of-digest', 0, 0, 488, NULL, 1, 0, 0, NULL),
  (309, 'of-turn', 0, 0, 488, NULL, 1, 0, 0, NULL);
INSERT INTO verify_turns VALUES (24, 3, 5), (2403, 3, 6), (24, 309, 7);
INSERT INTO repository_sizes VALUES (307, 1, 5, 9), (307, 2, 6, 8);

INSERT INTO flows
  (id, name, uid, gid, mode, definition, revision, created_at, changed_at, machine_id, repository_id, schedule_id,
   policy_id)
VALUES
  (4, 'f', 0, 0, 488, '{"enabled":true}', 1, 0, 0, 1, 3, 23, 24),
  (104, 'spare', 0, 0, 488, '{"enabled":true}', 1, 0, 0, 1, 3, NULL, NULL);
INSERT INTO flows
  (id, name, uid, gid, mode, revision, created_at, changed_at, machine_id, group_id, repository_id,
   from_repository_id, schedule_id, policy_id, after_flow_id)
VALUES
  (402, 'with-machine', 0, 0, 488, 1, 0, 0, 203, NULL, NULL, NULL, NULL, NULL, NULL),
  (403, 'with-repository', 0, 0, 488, 1, 0, 0, NULL, NULL, 302, NULL, NULL, NULL, NULL),
  (404, 'of-execution', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (405, 'with-group', 0, 0, 488, 1, 0, 0, NULL, 2203, NULL, NULL, NULL, NULL, NULL),
  (406, 'with-from', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, 306, NULL, NULL, NULL),
  (407, 'with-schedule', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, 2302, NULL, NULL),
  (408, 'with-policy', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, 2402, NULL),
  (409, 'of-after', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (410, 'with-after', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 409),
  (411, 'of-occurrence', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (412, 'of-start', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (413, 'before-start', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (414, 'of-point', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (415, 'of-copy', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (416, 'of-job', 0, 0, 488, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

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
  (503, 104, 'of-point', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (504, 104, 'of-occurrence', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (520, 104, 'of-line', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1),
  (505, 104, 'of-copy', 'success', 'manual', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1);

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
  (620, 'of-line', 'backup', NULL, NULL, NULL, NULL, NULL, NULL, 'pending', NULL, NULL, '{}',
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

UPDATE jobs SET flow_id = 416 WHERE id = 605;
INSERT INTO chains (id, machine_id, repository_id, created_at) VALUES
  (7, 1, 3, 0), (107, 1, 3, 0), (117, 1, 3, 0), (127, 1, 3, 0), (701, 205, 3, 0), (702, 1, 304, 0),
  (703, 1, 3, 0), (705, 1, 3, 0), (706, 1, 103, 0);
INSERT INTO layers (id, chain_id, disk_id, parent_layer_id, file, image_id, file_bytes) VALUES
  (8, 7, 2, NULL, 't1/disk-0.qcow2', 'aa', 100),
  (9, 7, 2, 8, 't2/disk-0.qcow2', 'bb', 10),
  (108, 7, 2, NULL, 'spare/disk-0.qcow2', 'cc', 10),
  (118, 7, 112, NULL, 't1/disk-1.qcow2', 'dd', 100),
  (801, 117, 122, NULL, 'x/of-layer.qcow2', 'ee', 100),
  (802, 7, 2, NULL, 'x/below.qcow2', 'ff', 100),
  (803, 7, 2, 802, 'x/above.qcow2', 'gg', 100),
  (804, 706, 2, NULL, 'c/copied.qcow2', 'hh', 100),
  (805, 706, 112, NULL, 'c/other.qcow2', 'ii', 100);
UPDATE jobs SET chain_id = 703 WHERE id = 602;
UPDATE jobs SET chain_id = 117 WHERE id = 6;

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
  (12, 10, 2, 'disk-0', 1048576, 'full', 'no_parent', 'hf-1', 100, 100, 'abc', 8, 131072, 1, 100, 'def', 'inode 5'),
  (13, 10, 112, 'disk-1', 1048576, 'full', 'no_parent', 'hf-1', 100, 100, 'abc', 118, NULL, 1, NULL, NULL, NULL),
  (14, 11, 2, 'disk-0', 1048576, 'incremental', NULL, 'hf-2', 10, 100, 'abc', 9, 131072, 0, 10, NULL, NULL),
  (1201, 115, 2, 'disk-0', 1048576, 'full', 'requested', NULL, 10, 100, NULL, 8, NULL, 1, NULL, NULL, NULL);
UPDATE points SET flow_id = 414 WHERE id = 112;
INSERT INTO points
  (id, machine_id, repository_id, chain_id, name, state, kind, full_reason, consistency, time, cluster_size,
   compression, bytes_stored)
VALUES
  (119, 1, 3, 7, 'of-copy', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (120, 1, 3, 7, 'of-pin', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (121, 1, 3, 7, 'of-verdict', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (122, 1, 3, 7, 'of-boot-check', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (131, 1, 3, 7, 'c1', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (132, 1, 3, 7, 'c2', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (133, 1, 3, 7, 'c3', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (134, 1, 3, 7, 'c4', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0);
UPDATE points SET verified_at = 1, verified_level = 'quick', verified_result = 'good' WHERE id = 10;
INSERT INTO points
  (id, machine_id, repository_id, chain_id, name, state, kind, full_reason, consistency, time, cluster_size,
   compression, bytes_stored)
VALUES
  (135, 1, 3, 7, 'of-digest', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0);
INSERT INTO document_digests VALUES (10, 3, 'abc', ''), (135, 3, 'xyz', 'def'), (11, 308, 'abc', '');
INSERT INTO copies VALUES
  (18, 10, 1, 103, 706, 4, 5, 'committed', 'full', 0, 9, 0, 0, NULL),
  (19, 11, 1, 103, 706, NULL, NULL, 'committed', 'incremental', 0, 9, 1, 1, NULL),
  (118, 110, 1, 103, 706, NULL, NULL, 'committed', 'full', 0, 9, 0, 0, NULL),
  (1801, 119, 1, 103, 706, NULL, NULL, 'committed', 'full', 0, 9, 0, 0, NULL),
  (1803, 131, 1, 3, 705, NULL, NULL, 'committed', 'full', 0, 9, 0, 0, NULL),
  (1804, 132, 1, 103, 706, NULL, 505, 'committed', 'full', 0, 9, 0, 0, NULL),
  (1805, 133, 1, 103, 706, 415, NULL, 'committed', 'full', 0, 9, 0, 0, NULL),
  (1806, 134, 1, 103, 706, NULL, NULL, 'retired', 'incremental', 0, 9, 0, 0, NULL);
UPDATE repositories SET points = 9, bytes_stored = 81 WHERE id IN (3, 103);
INSERT INTO copy_disks VALUES
  (25, 18, 2, 804, 9, 'abc'), (125, 18, 112, 805, 9, NULL), (2501, 118, 2, 804, 9, NULL);
INSERT INTO pins VALUES (26, 10, 0, 'ann', 5, 'audit', 1000, 1000, 42), (126, 120, 0, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO log_lines VALUES
  (29, 6, 5, 0, 'begins'), (129, 6, NULL, 0, 'ends'), (2901, 620, NULL, 0, 'begins'), (2902, NULL, 520, 0, 'ends');
INSERT INTO verdicts VALUES (27, 10, 0, 'good', 'ann', 'booted', 1000, 1000, 42), (127, 121, 0, 'bad', 'ann', NULL, NULL, NULL, NULL);
INSERT INTO boot_checks VALUES
  (10, 1, 5, 'good', NULL, 'screen', 'tcg', 7, x'89'), (122, 1, 6, 'bad', 'it hangs', 'agent', 'kvm', 8, NULL), (121, 1, 6, 'bad', 'it hangs', 'agent', 'kvm', 8, NULL);
UPDATE machines SET boot_checked_at = 6, proven_to_boot_at = 5 WHERE id = 1;
INSERT INTO schedule_occurrences VALUES
  (28, 23, 4, 1, 'started', NULL, 5),
  (128, 23, 4, 2, 'skipped', 'blackout', NULL),
  (2801, 2303, 4, 1, 'planned', NULL, NULL),
  (2802, 23, 411, 1, 'planned', NULL, NULL),
  (2803, 23, 104, 1, 'started', NULL, 504);
INSERT INTO chained_starts VALUES (412, 4, 0), (104, 413, 1);
INSERT INTO leftovers VALUES
  (16, 1, 21, 'node', 'hf-node', 'json', 'qmp'),
  (1601, 1, 116, 'file', '/var/scratch', NULL, 'qmp');

INSERT INTO events VALUES
  (17, 0, 'flow.run', 'flows/f', 1000, 1000, 42, 'ok', 'asked', 'flows/f/executions/r1', 'j1', 1000, 1000, 488,
   '{}'),
  (117, 0, 'daemon.start', NULL, NULL, NULL, NULL, 'ok', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO event_parts VALUES (117, 100);
INSERT INTO collections VALUES ('flow', 0, 1000, 509, 0), ('machine', 0, 0, 493, 0);
)sql";

}  // namespace holdfast
