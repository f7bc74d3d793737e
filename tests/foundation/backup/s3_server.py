"""A real S3-like server that others wrote (moto, as a process of its own, checking signatures), and bad days of it."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from tools.ports import free_port

BUCKET = "clinic"
UNASKED = 4
"""Requests that moto takes before it asks who somebody is: those that make the user and the bucket."""
ALLOWED = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'

Fault = Callable[[str, str], str]
"""Method and path to what goes wrong: 503, 403, cut, hang, spoil, lost; "" for nothing."""


class Server:
    """endpoint: past the bad days; direct: at the server itself."""

    def __init__(self, port: int, key: tuple[str, str], proxy: Proxy) -> None:
        self.direct, self.key, self.proxy = f"http://127.0.0.1:{port}", key, proxy
        self.endpoint = f"http://127.0.0.1:{proxy.server_port}"

    def keys_file(self, path: Path, *, secret: str = "") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        words = f"aws_access_key_id = {self.key[0]}\naws_secret_access_key = {secret or self.key[1]}\n"
        path.write_text(f"[default]\n{words}")
        path.chmod(0o600)
        return path


def client(service: str, endpoint: str, key: tuple[str, str] = ("none", "none")) -> Any:
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    names = {"aws_access_key_id": key[0], "aws_secret_access_key": key[1], "region_name": "us-east-1"}
    return Session().create_client(service, endpoint_url=endpoint, config=config, **names)


@contextmanager
def server(log: Path) -> Iterator[Server]:
    """With one bucket and one user whose key alone is taken."""
    port = free_port()
    code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNASKED)}
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=out, stderr=out)
    try:
        iam = client("iam", f"http://127.0.0.1:{port}")
        end = time.monotonic() + 60
        while True:
            try:
                iam.create_user(UserName="bedside")
                break
            except BotoCoreError:
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.1)
        iam.put_user_policy(UserName="bedside", PolicyName="s3", PolicyDocument=ALLOWED)
        made = iam.create_access_key(UserName="bedside")["AccessKey"]
        client("s3", f"http://127.0.0.1:{port}").create_bucket(Bucket=BUCKET)
        with Proxy(port) as proxy:
            yield Server(port, (made["AccessKeyId"], made["SecretAccessKey"]), proxy)
    finally:
        process.terminate()
        process.wait(10)


class Proxy(ThreadingHTTPServer):
    """Passes each request on, or does not."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, to: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.to, self.fault, self.seen = to, _nothing, list[str]()

    def handle_error(self, *_: object) -> None:
        """Whoever asked has gone."""

    def __enter__(self) -> Proxy:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @contextmanager
    def bad(self, fault: Fault) -> Iterator[None]:
        self.fault = fault
        try:
            yield
        finally:
            self.fault = _nothing


def _nothing(_method: str, _path: str) -> str:
    return ""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy  # type: ignore[assignment]

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        return True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        fault = self.server.fault(self.command, self.path)
        if fault == "hang":
            time.sleep(60)
            fault = "cut"
        if fault == "cut":
            self.close_connection = True
            return
        if fault in REFUSALS:
            said = f"<Error><Code>{REFUSALS[fault]}</Code><Message>No.</Message></Error>".encode()
            self._answer(int(fault), [("Content-Type", "application/xml")], said)
            return
        onward = http.client.HTTPConnection("127.0.0.1", self.server.to, timeout=60)
        onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":
                onward.putheader(name, value)
        onward.endheaders(body)
        answer = onward.getresponse()
        said = answer.read()
        if fault == "lost":
            self.close_connection = True
            return
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
        if fault == "spoil":
            headers = [(name, '"0123"' if name.lower() == "etag" else value) for name, value in headers]
        if fault == "half":
            self.send_response(answer.status)
            for name, value in (*headers, ("Content-Length", str(len(said)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said[: len(said) // 2])
            self.close_connection = True
            return
        length = answer.getheader("content-length") if self.command == "HEAD" else None
        self._answer(answer.status, headers, said, length)

    def _answer(self, status: int, headers: list[tuple[str, str]], said: bytes, length: str | None = None) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nowhere."""


REFUSALS = {"503": "SlowDown", "403": "InvalidAccessKeyId"}
HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}
