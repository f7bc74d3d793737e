"""Traces leave only where the operator says where to, and then they do leave."""

import http.server
import os
import subprocess
import sys
import threading

import pytest

pytestmark = pytest.mark.engine

WORK = """
from opentelemetry import trace
from bedside.foundation import telemetry
telemetry.configure("tests")
with telemetry.timed("job", "tests.work"):
    pass
if hasattr(trace.get_tracer_provider(), "shutdown"):
    trace.get_tracer_provider().shutdown()
"""


@pytest.mark.parametrize("asked", [True, False])
def test_traces_leave_where_they_are_asked_for(asked: bool) -> None:
    heard: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        try:
            subprocess.run([sys.executable, "-c", WORK], env={**os.environ, **(endpoint if asked else {})}, check=True)
        finally:
            server.shutdown()
            thread.join()
    assert [b"job tests.work" in body for body in heard] == ([True] if asked else [])
    assert all(b"bedside-tests" in body for body in heard)
