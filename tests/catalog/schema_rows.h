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
INSERT INTO credentials
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description)
VALUES
  (20, 'c', 0, 0, 488, 1, 1, 0, 0, 'of the host'),
  (120, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL),
  (2001, 'of-tag', 0, 0, 488, 1, 1, 0, 0, NULL),
  (2002, 'of-source', 0, 0, 488, 1, 1, 0, 0, NULL);
INSERT INTO credential_tags VALUES (20, 0, 'prod'), (20, 1, 'db'), (2001, 0, 'prod');
INSERT INTO sources
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, driver, uri,
   credential_id, max_jobs, bandwidth, discover_every)
VALUES
  (21, 's', 0, 0, 488, 1, 1, 0, 0, 'rack 1', 'libvirt', 'qemu:///system', 20, 2, 1000, 3600),
  (121, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, 'libvirt', 'qemu:///spare', NULL, 2, NULL, 3600),
  (2101, 'of-tag', 0, 0, 488, 0, 1, 0, 0, NULL, 'libvirt', NULL, NULL, 2, NULL, 3600),
  (2102, 'of-machine', 0, 0, 488, 0, 1, 0, 0, NULL, 'libvirt', NULL, NULL, 2, NULL, 3600),
  (2103, 'with-credential', 0, 0, 488, 0, 1, 0, 0, NULL, 'libvirt', NULL, 2002, 2, NULL, 3600);
INSERT INTO source_tags VALUES (21, 0, 'prod'), (21, 1, 'db'), (2101, 0, 'prod');
UPDATE machines SET source_id = 2102, domain = 'vm1', objective = 60 WHERE id = 204;
INSERT INTO machine_excludes VALUES (1, 0, 'swap'), (1, 1, 'scratch'), (202, 0, 'swap');
INSERT INTO groups
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description)
VALUES
  (22, 'g', 0, 0, 488, 1, 1, 0, 0, 'all'),
  (122, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL),
  (2201, 'of-tag', 0, 0, 488, 1, 1, 0, 0, NULL),
  (2202, 'of-member', 0, 0, 488, 1, 1, 0, 0, NULL),
  (2203, 'of-flow', 0, 0, 488, 1, 1, 0, 0, NULL);
INSERT INTO group_tags VALUES (22, 0, 'prod'), (22, 1, 'db'), (2201, 0, 'prod');
INSERT INTO group_members VALUES (22, 1, 1), (22, 207, 0), (2202, 101, 1), (122, 202, 1);
INSERT INTO schedules
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, cron, every, timezone,
   jitter, missed, enabled, next_at)
VALUES
  (23, 'h', 0, 0, 488, 1, 1, 0, 0, 'nightly', '0 2 * * *', NULL, 'UTC', 0, 'run_once', 1, 5),
  (123, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, NULL, 60, 'UTC', 0, 'skip', 1, NULL),
  (2301, 'of-tag', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, NULL, 'UTC', 0, 'skip', 1, NULL),
  (2302, 'of-flow', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, NULL, 'UTC', 0, 'skip', 1, NULL),
  (2303, 'of-occurrence', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, NULL, 'UTC', 0, 'skip', 1, NULL);
INSERT INTO schedule_tags VALUES (23, 0, 'prod'), (23, 1, 'db'), (2301, 0, 'prod');
INSERT INTO schedule_blackouts VALUES (23, 0, 'mon'), (23, 1, 'tue'), (2301, 0, 'mon');
INSERT INTO policies
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, keep_last, keep_hourly,
   keep_daily, keep_weekly, keep_monthly, keep_yearly, min_age, full_every, verify, boot_check_every, retries,
   sample_percent, bandwidth)
VALUES
  (24, 'p', 0, 0, 488, 1, 1, 0, 0, 'gold', 7, 1, 1, 1, 1, 1, 0, 60, 'quick', 60, 1, 5, 1000),
  (124, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, 7, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1, 0, NULL),
  (2401, 'of-tag', 0, 0, 488, 1, 1, 0, 0, NULL, 7, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1, 0, NULL),
  (2402, 'of-flow', 0, 0, 488, 1, 1, 0, 0, NULL, 7, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 1, 0, NULL);
INSERT INTO policy_tags VALUES (24, 0, 'prod'), (24, 1, 'db'), (2401, 0, 'prod');
INSERT INTO settings VALUES (1, 4, 1, 10000, 67108864, 1, 0, 300);
INSERT INTO identity VALUES (1, 'abc');
INSERT INTO definition_changes VALUES ('machine', 'm', 1);
UPDATE totals SET bytes_stored = 1000;

INSERT INTO machine_tags VALUES (1, 0, 'prod'), (1, 1, 'db'), (202, 0, 'prod');
INSERT INTO disks (id, machine_id, name, key, node, trust_bitmap, configured, position, capacity) VALUES
  (2, 1, 'disk-0', 'k1', 'n0', 0, 1, 0, 1048576),
  (102, 1, 'old', 'k2', NULL, 0, 0, NULL, NULL),
  (112, 1, 'disk-1', 'k3', 'n1', 0, 1, 1, NULL),
  (122, 1, 'of-layer', 'k4', NULL, 0, 0, NULL, NULL),
  (212, 201, 'disk-0', 'k5', 'n0', 0, 1, 0, NULL);

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
  (305, 'of-point', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL),
  (306, 'of-from', 0, 0, 488, 0, 1, 0, 0, NULL, NULL, 'zstd', 1, 65536, 0, NULL);
INSERT INTO repository_tags VALUES (3, 0, 'fast'), (3, 1, 'near'), (301, 0, 'fast');

INSERT INTO flows
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description, type, machine_id,
   group_id, repository_id, from_repository_id, schedule_id, policy_id, after_flow_id, enabled, overlap, timeout,
   stall, priority)
VALUES
  (4, 'f', 0, 0, 488, 1, 1, 0, 0, 'nightly', 'backup', 1, NULL, 3, NULL, 23, 24, NULL, 1, 'skip', 60, 60, 0),
  (104, 'spare', 0, 0, 488, 1, 1, 0, 0, NULL, 'backup', 1, NULL, 3, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0);
INSERT INTO flows
  (id, name, uid, gid, mode, complete, revision, created_at, changed_at, type, machine_id, group_id,
   repository_id, from_repository_id, schedule_id, policy_id, after_flow_id, enabled, overlap, timeout, stall,
   priority)
VALUES
  (401, 'of-tag', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (402, 'with-machine', 0, 0, 488, 0, 1, 0, 0, 'backup', 203, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (403, 'with-repository', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, 302, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (404, 'of-execution', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (405, 'with-group', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, 2203, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (406, 'with-from', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, 306, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (407, 'with-schedule', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, 2302, NULL, NULL, 1, 'skip', 60, 60, 0),
  (408, 'with-policy', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, 2402, NULL, 1, 'skip', 60, 60, 0),
  (409, 'of-after', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (410, 'with-after', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, 409, 1, 'skip', 60, 60, 0),
  (411, 'of-occurrence', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (412, 'of-start', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (413, 'before-start', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (414, 'of-point', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (415, 'of-copy', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0),
  (416, 'of-job', 0, 0, 488, 0, 1, 0, 0, 'backup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'skip', 60, 60, 0);
INSERT INTO flow_hooks VALUES (4, 0, 'before'), (4, 1, 'after'), (401, 0, 'before');
INSERT INTO flow_recipients VALUES (4, 0, 'ann'), (4, 1, 'bob'), (401, 0, 'ann');
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
UPDATE policies SET full_every_points = 30, full_every_period = '@weekly' WHERE id = 24;
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
  (131, 1, 3, 7, 'c1', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (132, 1, 3, 7, 'c2', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (133, 1, 3, 7, 'c3', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0),
  (134, 1, 3, 7, 'c4', 'committed', 'full', 'requested', 'none', 9, 4096, 'none', 0);
UPDATE points SET verified_at = 1, verified_level = 'quick', verified_result = 'good' WHERE id = 10;
INSERT INTO copies VALUES
  (18, 10, 1, 103, 706, 4, 5, 'committed', 'full', 0, 9, 0, 0),
  (19, 11, 1, 103, 706, NULL, NULL, 'committed', 'incremental', 0, 9, 1, 1),
  (118, 110, 1, 103, 706, NULL, NULL, 'committed', 'full', 0, 9, 0, 0),
  (1801, 119, 1, 103, 706, NULL, NULL, 'committed', 'full', 0, 9, 0, 0),
  (1803, 131, 1, 3, 705, NULL, NULL, 'committed', 'full', 0, 9, 0, 0),
  (1804, 132, 1, 103, 706, NULL, 505, 'committed', 'full', 0, 9, 0, 0),
  (1805, 133, 1, 103, 706, 415, NULL, 'committed', 'full', 0, 9, 0, 0),
  (1806, 134, 1, 103, 706, NULL, NULL, 'retired', 'incremental', 0, 9, 0, 0);
UPDATE repositories SET points = 9, bytes_stored = 81 WHERE id IN (3, 103);
INSERT INTO copy_disks VALUES
  (25, 18, 2, 804, 9, 'abc'), (125, 18, 112, 805, 9, NULL), (2501, 118, 2, 804, 9, NULL);
INSERT INTO pins VALUES (26, 10, 0, 'ann', 5, 'audit'), (126, 120, 0, NULL, NULL, NULL);
INSERT INTO log_lines VALUES
  (29, 6, 5, 0, 'begins'), (129, 6, NULL, 0, 'ends'), (2901, 620, NULL, 0, 'begins'), (2902, NULL, 520, 0, 'ends');
INSERT INTO verdicts VALUES (27, 10, 0, 'good', 'ann', 'booted'), (127, 121, 0, 'bad', 'ann', NULL);
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
  (17, 0, 'flow.run', 'flows/f', 1000, 1000, 42, 'ok', 'asked', 'flows/f/executions/r1', 'j1', 1000, 1000, 488),
  (117, 0, 'daemon.start', NULL, NULL, NULL, NULL, 'ok', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO event_parts VALUES (117, 100);
INSERT INTO collections VALUES ('flow', 0, 1000, 509, 0), ('machine', 0, 0, 493, 0);
)sql";

}  // namespace holdfast
