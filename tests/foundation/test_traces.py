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


ACROSS = """
import asyncio, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from bedside.foundation import jobs, telemetry
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.database import Database

seen = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(seen))
trace.set_tracer_provider(provider)

async def main():
    database = await Database.connect(sys.argv[1], size=2)
    async def work(ctx, payload):
        with telemetry.timed("job", "within"):
            pass
    worker = jobs.Worker(database, no_bus(), SystemClock(), {"tests.work": work})
    with telemetry.timed("ingest", "batch"):
        async with database.transaction() as sql:
            ctx = Ctx(NOBODY, "HOPERAT", 1, SystemClock(), database, no_bus(), origin="tests").with_(tx=sql)
            await jobs.enqueue(ctx, "tests.work", {})
    await worker.run_due()
    await database.close()

asyncio.run(main())
for span in seen.get_finished_spans():
    print(span.name, format(span.context.trace_id, "x"), format(span.parent.span_id, "x") if span.parent else "-",
          format(span.context.span_id, "x"))
"""


def test_a_trace_goes_on_in_the_process_that_does_the_job(database_url: str) -> None:
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-c", ACROSS, database_url], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    spans = {words[0] + " " + words[1]: words[2:] for words in map(str.split, done.stdout.splitlines())}
    batch, job, within = (spans[name] for name in ("ingest batch", "job tests.work", "job within"))
    assert batch[0] == job[0] == within[0], "one trace"
    assert job[1] == batch[2]
    assert within[1] == job[2]
