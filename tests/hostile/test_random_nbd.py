#!/usr/bin/python3
"""NBD servers that tell random lies in mangled words: every run ends, and the daemon lives on."""

import json
import os
import random

import holdfast
from lying_nbd import LIES, LyingNbd
from served import uri

MIB = 2**20
ENDS = ("success", "warning", "error")
LONGEST_SENTENCE = 1024


class RandomNbd(holdfast.MountTest):
    def test_every_run_against_a_random_liar_ends(self):
        chance = random.Random(self.seed())
        rounds = int(os.environ.get("HOLDFAST_ROUNDS", 20))
        self.add_repository()
        self.add_file_machine("sound")
        self.add_flow("sound", "sound")
        path = self.folder / "nbd.sock"
        disk = {"name": "d", "uri": uri(path), "bitmap": "b", "trust_bitmap": True}
        self.daemon.define("machines/m", {"driver": "nbd", "disks": [disk]})
        self.add_flow(timeout="2s")
        for number in range(rounds):
            lie, size = chance.choice(sorted(LIES)), chance.choice((1, 511, 4097, MIB, 3 * MIB + 1))
            liar = LyingNbd(path, lie, size, chance)
            try:
                status = self.daemon.run("f", f"r-{number}")
            finally:
                liar.close()
                path.unlink()
            self.assertIn(status, ENDS, lie)
            (job,) = self.daemon.json(f"flows/f/executions/r-{number}/status.json")["created_job_ids"]
            message = self.daemon.json(f"jobs/{job}/status.json")["message"] or ""
            self.assertLess(len(message.encode()), LONGEST_SENTENCE)
        self.assertEqual(self.daemon.run("sound", "last"), "success")
        settings = self.daemon.json("config.json")
        self.daemon.write("config.json", json.dumps(settings | {"max_concurrent_jobs": 1}))
        self.assertEqual(self.daemon.run("sound", "alone"), "success")


if __name__ == "__main__":
    holdfast.main()
