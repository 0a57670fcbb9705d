#!/usr/bin/python3
"""Every file of the mount has the fields that scripts rely on, with the defaults that are promised."""

import json
import os
import re

import holdfast

# Fields by file. A value is the default in a new object's config.json; ANY is any value, and stands for every field of a
# file that the daemon makes.
ANY = object()


def any_of(words):
    return dict.fromkeys(words.split(), ANY)


FIELDS = {
    "/status.json": any_of("revision health version running next totals capacity last_verified_at verified_share warnings"),
    "/config.json": {"max_concurrent_jobs": 4, "verify_reads": True, "keep_executions": 10000, "events_size": 64 * 2**20},
    "groups/g/config.json": {},
    "machines/q/config.json": {"driver": "qmp", "socket": ANY, "disks": ANY, "quiesce": "auto", "objective": None},
    "machines/n/config.json": {"driver": "nbd", "disks": ANY, "objective": None},
    "machines/m/config.json": {"driver": "file", "disks": ANY, "objective": None},
    "machines/m/status.json": any_of(
        "revision state disks points latest latest_at within_objective bytes_stored restore_seconds_estimate"
        " last_verified_at verified_share warnings"
    ),
    "machines/m/disks/disk-0/status.json": any_of("capacity_bytes cbt cbt_reason change_ids"),
    "repositories/r/config.json": {
        **{"path": ANY, "compression": "zstd", "compression_level": 1, "cluster_size": 64 * 2**10, "max_jobs": 2},
        **{"bandwidth": None, "reserve": "2%", "read_only": False},
    },
    "repositories/r/status.json": any_of(
        "revision state capacity_bytes free_bytes used_bytes points full_at_estimate last_verified_at verified_share"
        " warnings"
    ),
    "schedules/s/config.json": {
        **{"cron": ANY, "every": ANY, "timezone": "UTC", "jitter": "0s", "missed": "run_once", "blackout": []},
        **{"enabled": True},
    },
    "policies/p/config.json": {
        **dict.fromkeys(["keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"]),
        **{"min_age": "0s", "full_every": None, "verify": None, "retries": 1, "sample": 0, "bandwidth": None},
        **{"verify_every": None, "verify_bandwidth": None, "verify_window": []},
        **{"boot_check": "never", "boot_expect": "screen", "boot_timeout": "10m", "boot_bus": "virtio"},
    },
    "flows/f/config.json": {
        **{"type": "backup", "target": "machines/m", "repository": "r", "from": None, "schedule": None, "policy": None},
        **{"enabled": True, "overlap": "skip", "timeout": "24h", "stall": "30m", "priority": 0, "after": None},
        **{"only_if": None, "hooks": [], "notify": []},
    },
    "flows/f/status.json": any_of(
        "revision enabled running last_execution_id last_execution_status last_execution_time next_execution_time"
        " total_executions successful_executions warned_executions failed_executions average_seconds warnings"
    ),
    "flows/f/latest/status.json": any_of(
        "revision id flow status execution_type by reason jobs_created jobs_completed jobs_failed jobs_skipped"
        " machines_processed bytes_read bytes_transferred bytes_stored created_job_ids started_at completed_at"
        " execution_time_seconds progress"
    ),
    "jobs/JOB/status.json": any_of(
        "revision id type operation owner status reason machine execution progress metadata created_at started_at"
        " completed_at"
    ),
    "machines/m/latest/manifest.json": any_of(
        "id machine time kind reason consistency repository copies chain parent flow execution disks pins verdicts verified"
    ),
    "/events.jsonl": any_of("at event object by result reason execution job"),
}
# Fields within fields: the file, the way to a value, and the fields there.
WITHIN = [
    ("/status.json", ["warnings", 0], "object since reason message fix"),
    ("machines/q/config.json", ["disks", 0], "name node"),
    ("machines/n/config.json", ["disks", 0], "name uri bitmap trust_bitmap"),
    ("machines/m/config.json", ["disks", 0], "name path format"),
    ("flows/f/latest/status.json", ["progress"], "done total rate seconds_left"),
    ("machines/m/latest/manifest.json", ["disks", 0], "name capacity_bytes bytes_stored change_id sums_sha256"),
]
# Fields that come with libvirt (machines of sources, points of some disks), and with verification by policy.
# sources/ comes with libvirt, too.
LATER = {
    "groups/g/config.json": "sources",
    "machines/m/config.json": "source domain exclude",
    "machines/m/latest/manifest.json": "tags partial",
}


def faults(found, wanted):
    """Returns a sentence for each field that is absent or has another default."""
    absent = [f"{name} is absent" for name in wanted if name not in found]
    defaults = {name: value for name, value in wanted.items() if value is not ANY and name in found}
    return absent + [f"{name} is {found[name]!r}" for name, value in defaults.items() if found[name] != value]


class Fields(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.add_file_machine()
        self.add_machine("q")
        disks = [{"name": "disk-0", "uri": f"nbd+unix:///d?socket={self.folder}/none"}]
        self.daemon.define("machines/n", {"driver": "nbd", "disks": disks})
        self.add_repository()
        self.daemon.define("groups/g", {})
        self.daemon.define("schedules/s", {"every": "7h"})
        self.daemon.define("policies/p", {})
        self.add_flow()
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        (self.job,) = os.listdir(self.daemon.mount / "flows/f/latest/jobs")

    def document(self, file):
        text = self.daemon.read(file.replace("JOB", self.job).lstrip("/"))
        return json.loads(text.splitlines()[-1] if file.endswith(".jsonl") else text)

    def test_every_file_has_its_fields_with_their_defaults(self):
        wrong = {file: faults(self.document(file), wanted) for file, wanted in FIELDS.items()}
        for file, way, words in WITHIN:
            found = self.document(file)
            for step in way:
                found = found[step]
            wrong[f"{file} {way}"] = faults(found, any_of(words))
        self.assertEqual({file: sentences for file, sentences in wrong.items() if sentences}, {})

    def test_every_object_that_people_describe_has_a_description_and_tags(self):
        for file in (file for file in FIELDS if re.fullmatch(r"\w+/\w/config.json", file)):
            self.assertEqual(faults(self.document(file), {"description": "", "tags": []}), [], file)

    def test_a_field_that_is_left_for_later_is_checked_as_soon_as_it_is_there(self):
        self.assertFalse((self.daemon.mount / "sources").exists())
        for file, words in LATER.items():
            for name in words.split():
                self.assertNotIn(name, self.document(file), file)

    def test_an_absent_field_and_another_default_are_noticed(self):
        wanted = {"retries": 1, "sample": 0, "verify": None, "path": ANY}
        self.assertEqual(faults({"retries": 1, "sample": 0, "verify": None, "path": "/srv"}, wanted), [])
        self.assertEqual(faults({"retries": 2, "sample": 0, "verify": None}, wanted), ["path is absent", "retries is 2"])


if __name__ == "__main__":
    holdfast.main()
