"""Logs without health data, traces, metrics.

Logs are JSON lines. A personal value may stand only under a key with a `phi` segment (`phi_name`, `patient.phi.name`),
and such keys are dropped unless BEDSIDE_LOG_PHI=1. The text of an error may quote what it choked on, so of an error
its kind and place are logged, and its words only where they are Bedside's own. Traces are sent only where the usual
OTEL_EXPORTER_OTLP_ENDPOINT says where to.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from structlog.typing import FilteringBoundLogger

from bedside.foundation.errors import BedsideError

REGISTRY = CollectorRegistry()
"""What /metrics shows of this process."""

DURATION = Histogram(
    "bedside_duration_seconds",
    "Time of one unit of work.",
    ["kind", "name", "outcome"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

PHI = re.compile(r"(^|[._-])phi([._-]|$)", re.IGNORECASE)


def _without_phi(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops personal values, at any depth."""
    if os.environ.get("BEDSIDE_LOG_PHI") == "1":
        return event
    return cast(MutableMapping[str, Any], _scrubbed(event))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, MutableMapping):
        return {key: _scrubbed(inner) for key, inner in value.items() if not PHI.search(str(key))}
    if isinstance(value, list | tuple):
        return [_scrubbed(inner) for inner in value]
    return value


def _error(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """exc_info becomes the error's kind and the frames it came through."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        if isinstance(error, BedsideError):
            event["error_message"] = error.message
        event["frames"] = [
            f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ][-12:]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            event["cause"] = f"{type(cause).__name__} {place(cause)}"
    return event


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])


def place(error: BaseException) -> str:
    """Where an error was raised: `in room/service.py:41 escalate`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"in {_short(frames[-1].filename)}:{frames[-1].lineno} {frames[-1].name}" if frames else "nowhere"


class _Foreign(logging.Handler):
    """What libraries log through the standard library. Of their arguments only numbers are kept."""

    def emit(self, record: logging.LogRecord) -> None:
        args = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
        words = str(record.msg)
        if args:
            kept = tuple(arg if isinstance(arg, int | float) else "…" for arg in args)
            try:
                words = re.sub(r"%[#0 +-]*\d*\.?\d*[srdifxg]", "%s", words) % kept
            except (TypeError, ValueError):
                words = str(record.msg)
        logger(record.name).log(record.levelno, words, exc_info=record.exc_info)


class _Lines(structlog.BytesLogger):
    """Writes each line; one that the disk has no room for is lost, and whoever wrote it goes on."""

    def msg(self, message: bytes) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = exception = failure = err = msg


def _set_up(level: int = logging.INFO, file: BinaryIO | None = None) -> None:
    out = file or sys.stderr.buffer
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _error,
            _without_phi,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )


# From the first import on: structlog's own default prints an error's local variables.
_set_up()


def configure(process: str, *, level: int = logging.INFO, file: BinaryIO | None = None, sends: bool = True) -> None:
    """Set up logs and, where an endpoint is configured, traces. process: web, worker, ingest … stands in every line.

    file: where the lines go; standard error by default. sends: False where no thread may run, as before a fork: traces
    leave by one.
    """
    _set_up(level, file)
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    if sends and traces():
        _send_traces(process)


def _send_traces(process: str) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"bedside-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def logger(name: str) -> FilteringBoundLogger:
    """A logger of that part: `log.info("what happened", key=value)`; the event is a constant, values are keys."""
    return cast(FilteringBoundLogger, structlog.get_logger(part=name))


@cache
def tracer() -> trace.Tracer:
    """Makes spans; they go nowhere unless an endpoint is configured."""
    return trace.get_tracer("bedside")


@cache
def traces() -> bool:
    """Whether spans go anywhere: a span that nobody gets still costs its making."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))


@lru_cache(maxsize=4096)
def duration(kind: str, name: str, outcome: str) -> Histogram:
    """Where the time of one kind of work is counted."""
    return DURATION.labels(kind, name, outcome)


def carried() -> str | None:
    """The W3C traceparent of the span that runs now, for work that goes on in another process; None without traces."""
    if not traces():
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued(traceparent: str | None) -> Iterator[None]:
    """Spans within belong to the work that carried() was asked in."""
    if traceparent is None or not traces():
        yield
        return
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = context.attach(TraceContextTextMapPropagator().extract({"traceparent": traceparent}))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def timed(kind: str, name: str) -> Iterator[trace.Span]:
    """One unit of work: a span and a duration. name: from a small set (a route's template, a job's name)."""
    begun, outcome = time.perf_counter(), "ok"
    with tracer().start_as_current_span(f"{kind} {name}", record_exception=False) as span:
        try:
            yield span
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            duration(kind, name, outcome).observe(time.perf_counter() - begun)


def exposition() -> bytes:
    """/metrics in Prometheus's text format: of all processes where they share a directory, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def shown(values: dict[str, tuple[str, float | None]]) -> bytes:
    """What stands at this moment, in Prometheus's text format: name to (help, value); None is left out."""
    # Not a Gauge: where processes share their counts each would leave its own in the directory, and be told twice.
    registry = CollectorRegistry()
    found = [GaugeMetricFamily(name, help_, value) for name, (help_, value) in values.items() if value is not None]
    registry.register(_Standing(found))
    return generate_latest(registry)


class _Standing(Collector):
    """Values that were looked up."""

    def __init__(self, found: list[GaugeMetricFamily]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def counter(name: str, help_: str, *labels: str) -> Counter:
    """A count that only grows, shown at /metrics."""
    return Counter(name, help_, labels, registry=REGISTRY)
