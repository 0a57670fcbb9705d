#!/usr/bin/python3
"""Notices: each webhook is told of the executions that it wants, and no run waits for a webhook."""

import http.server
import json
import os
import socket
import threading

import holdfast


class Webhook:
    """An HTTP server on loopback that keeps the bodies it receives, by path. /500-first fails once, /400 always, /slow
    waits for may_answer; other paths get 204."""

    def __init__(self):
        self.posts = []
        self.arrived = threading.Condition()
        self.may_answer = threading.Event()  # releases /slow
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with webhook.arrived:
                    webhook.posts.append((self.path, body))
                    count = sum(path == self.path for path, _ in webhook.posts)
                    webhook.arrived.notify_all()
                if self.path == "/slow":
                    webhook.may_answer.wait(holdfast.CEILING)
                self.send_response(500 if self.path == "/500-first" and count == 1 else 400 if self.path.startswith("/400") else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.may_answer.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def wait_for(self, path, count=1):
        """Waits for `count` posts to the path and returns their bodies."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.bodies(path)) >= count, holdfast.CEILING)
        assert came, f"{path} was not told: {self.posts}"
        return self.bodies(path)[:count]

    def bodies(self, path):
        return [body for there, body in self.posts if there == path]


class Notices(holdfast.MountTest):
    def setUp(self):
        super().setUp()
        self.webhook = Webhook()
        self.addCleanup(self.webhook.close)
        self.add_repository()
        self.disk = self.add_file_machine()

    def notify(self, *recipients):
        self.add_flow(notify=list(recipients))

    def log_of(self, name):
        return self.daemon.read(f"flows/f/executions/{name}/log")

    def test_each_webhook_is_told_of_the_ends_that_it_wants(self):
        self.notify(*(f"{when} {self.webhook.url}/{when}" for when in ("failure", "warning", "recovery", "always")))
        self.assertEqual(self.daemon.run("f", "good-1"), "success")
        os.rename(self.disk.path, self.folder / "away")
        self.assertEqual(self.daemon.run("f", "bad"), "error")
        os.rename(self.folder / "away", self.disk.path)
        self.assertEqual(self.daemon.run("f", "good-2"), "success")
        self.assertEqual(self.daemon.run("f", "good-3"), "success")
        told = self.webhook.wait_for("/always", 4)
        self.assertEqual(sorted(body["id"] for body in told), ["bad", "good-1", "good-2", "good-3"])
        (failure,) = self.webhook.wait_for("/failure")
        status = self.daemon.json("flows/f/executions/bad/status.json")
        self.assertEqual((failure["notice"], failure["id"], failure["flow"]), ("failure", "bad", "f"))
        for field in ("status", "reason", "message", "jobs_failed", "completed_at"):
            self.assertEqual(failure[field], status[field], field)
        (recovery,) = self.webhook.wait_for("/recovery")
        self.assertEqual(recovery["id"], "good-2")
        self.until(lambda: f"{self.webhook.url} is told" in self.log_of("good-3"))
        self.assertEqual([len(self.webhook.bodies(path)) for path in ("/failure", "/recovery", "/warning")], [1, 1, 0])

    def test_a_run_over_an_empty_group_is_told_as_a_warning(self):
        self.daemon.define("groups/g", {})
        flow = {"target": "groups/g", "repository": "r", "notify": [f"warning {self.webhook.url}/warning"]}
        self.daemon.define("flows/f", flow)
        self.assertEqual(self.daemon.run("f", "r1"), "warning")
        (warning,) = self.webhook.wait_for("/warning")
        self.assertEqual((warning["id"], warning["reason"]), ("r1", "no_machines"))

    def test_an_interrupted_run_is_told_after_the_restart(self):
        self.add_repository("slow", bandwidth=1)
        self.add_flow(repository="slow", notify=[f"failure {self.webhook.url}/failure"])
        self.daemon.write("flows/f/control", "run name=r1")
        self.until(lambda: self.daemon.json("flows/f/executions/r1/status.json")["status"] == "running")
        self.daemon.kill()
        self.daemon.start()
        (failure,) = self.webhook.wait_for("/failure")
        self.assertEqual((failure["id"], failure["reason"]), ("r1", "interrupted"))

    def test_a_webhook_that_answers_500_is_tried_again(self):
        self.notify(f"always {self.webhook.url}/500-first")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        first, second = self.webhook.wait_for("/500-first", 2)
        self.assertEqual(first, second)
        self.until(lambda: "is told" in self.log_of("r1"))

    def test_a_webhook_that_answers_400_is_not_tried_again_and_its_token_is_not_logged(self):
        self.notify(f"always {self.webhook.url}/400?token=secret")
        self.assertEqual(self.daemon.run("f", "r1"), "success")
        self.until(lambda: "is not told: the server answers 400 (tried 1 times)" in self.log_of("r1"))
        events = [json.loads(line) for line in self.daemon.read("events.jsonl").splitlines()]
        (event,) = [event for event in events if event["event"] == "notice"]
        self.assertEqual((event["result"], event["execution"]), ("error", "flows/f/executions/r1"))
        self.assertNotIn("secret", self.log_of("r1") + json.dumps(event) + self.daemon.log.read_text())

    def test_runs_and_other_webhooks_do_not_wait_for_a_slow_or_absent_webhook(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.notify(
            f"always {self.webhook.url}/slow", f"always http://127.0.0.1:{port}/down", f"always {self.webhook.url}/well"
        )
        for name in ("r1", "r2", "r3"):
            self.assertEqual(self.daemon.run("f", name), "success")
        # The webhook /well is told meanwhile, and the daemon ends at once.
        self.webhook.wait_for("/well", 3)
        self.webhook.wait_for("/slow", 1)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.daemon.json("flows/f/status.json")["successful_executions"], 3)

    def test_an_invalid_notice_is_refused(self):
        self.add_flow()
        before = self.daemon.read("flows/f/config.json")
        url = self.webhook.url
        for wrong in (url, f"sometimes {url}", "always", "always ftp://x/", "always file:///etc/shadow", "always http://",
                      f"always  {url}", f"always {url}/ {url}"):  # fmt: skip
            with self.assertRaises(OSError):
                self.daemon.write("flows/f/control", f"set notify={json.dumps([wrong])}")
            self.assertIn('"notify[0]"', self.daemon.read("flows/f/error"), wrong)
        self.assertEqual(self.daemon.read("flows/f/config.json"), before)


if __name__ == "__main__":
    holdfast.main()
