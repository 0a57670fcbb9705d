#!/usr/bin/python3
"""A state directory without its catalog, because it is not mounted, is not taken for a new one."""

import holdfast


class State(holdfast.MountTest):
    def begin_without(self):
        """Starts the daemon on an empty directory in place of its state directory."""
        self.add_file_machine()
        self.daemon.stop()
        self.away = self.daemon.state.rename(self.folder / "away")
        self.daemon.state.mkdir()
        with self.assertRaises(holdfast.Refused) as refused:
            self.daemon.start()
        return str(refused.exception)

    def test_an_empty_state_directory_that_had_a_catalog_is_refused(self):
        message = self.begin_without()
        self.assertIn(str(self.daemon.state), message)
        self.assertIn("mount", message)
        self.assertEqual(list(self.daemon.state.glob("catalog*")), [], "nothing was made")
        self.daemon.state.rename(self.folder / "empty")
        self.away.rename(self.daemon.state)
        self.daemon.start()
        self.assertTrue((self.daemon.mount / "machines/m").exists())

    def test_a_person_may_begin_anew(self):
        message = self.begin_without()
        marker = self.folder / f".{self.daemon.state.name}.catalog"
        self.assertIn(f"rm {marker}", message)
        marker.unlink()
        self.daemon.start()
        self.assertFalse((self.daemon.mount / "machines/m").exists())

    def test_the_catalog_of_another_state_directory_is_taken(self):
        self.begin_without()
        self.daemon.state.rmdir()
        self.away.rename(self.daemon.state)
        (self.folder / f".{self.daemon.state.name}.catalog").write_text("another\n")
        self.daemon.start()
        self.assertTrue((self.daemon.mount / "machines/m").exists(), "a catalog that is there is no new one")


if __name__ == "__main__":
    holdfast.main()
