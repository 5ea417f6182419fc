"""A receiver as a customer would write one: it keeps the raw body, verifies it with the published
package `standardwebhooks`, and only then believes it."""

import queue
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

PATIENCE_SECONDS = 60


@dataclass
class Received:
    headers: dict
    body: bytes
    payload: object = None


class Receiver:
    def __init__(self):
        self.statuses = {}  # what a path answers, if not 200
        self._arrived = defaultdict(queue.Queue)  # by path
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver.statuses.get(self.path, 200))
                self.send_header("content-length", "5")
                self.end_headers()
                self.wfile.write(b"taken")
                receiver._arrived[self.path].put(Received(headers, body))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def next(self, path, secret):
        """The next request at `path`, verified with `secret`, with its payload."""
        try:
            request = self._arrived[path].get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise AssertionError(f"nothing arrived at {path} within {PATIENCE_SECONDS} s") from None
        request.payload = Webhook(secret).verify(request.body, request.headers)
        return request

    def waiting(self, path):
        return self._arrived[path].qsize()


def eventually(check):
    """Asks until `check` no longer fails: for what the server does after it heard the receiver's
    answer, of which it sends no word."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
