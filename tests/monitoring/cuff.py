"""A real MQTT client that we did not write (paho), as a cuff would hold it."""

from __future__ import annotations

import asyncio
import queue
import time
from typing import Any

import orjson
import paho.mqtt.client as mqtt

from bedside.monitoring import DeviceCredentials


class Cuff:
    """Connected on entry, gone on exit. answers: what came on its acknowledgement topic."""

    def __init__(self, credentials: DeviceCredentials, port: int, *, client_id: str = "", password: str = "") -> None:
        self.credentials, self.port = credentials, port
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.connected: queue.Queue[int] = queue.Queue()
        self.granted: queue.Queue[int] = queue.Queue()
        self.left: queue.Queue[float] = queue.Queue()
        """When it was cut off, by time.monotonic()."""
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or f"c-{credentials.device}", protocol=mqtt.MQTTv311
        )
        self.client.username_pw_set(credentials.username, password or credentials.password)
        self.client.on_connect = lambda *a: self.connected.put(a[3].value)
        self.client.on_disconnect = lambda *_: self.left.put(time.monotonic())
        self.client.on_subscribe = lambda *a: self.granted.put(a[3][0].value)
        self.client.on_message = lambda _c, _u, message: self.answers.put(orjson.loads(message.payload))
        self.client.reconnect_delay_set(1, 1)

    async def connect(self) -> int:
        """The server's answer: 0, or 135 for not authorised."""
        self.client.connect_async("127.0.0.1", self.port, keepalive=10)
        self.client.loop_start()
        return await asyncio.to_thread(self.connected.get, timeout=30)

    async def listen(self, topic: str = "") -> int:
        """Subscribe at QoS 1; 128 and above is a refusal."""
        self.client.subscribe(topic or self.credentials.ack_topic, 1)
        return await asyncio.to_thread(self.granted.get, timeout=30)

    async def __aenter__(self) -> Cuff:
        assert await self.connect() == 0
        assert await self.listen() < 128
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)
        # paho closes its own pair of sockets when it goes: nothing may hold it in a circle.
        client = self.client
        client.on_connect = client.on_disconnect = client.on_subscribe = client.on_message = None

    async def send(self, payload: bytes, topic: str = "") -> None:
        """QoS 1, until the broker has it."""
        info = self.client.publish(topic or self.credentials.topic, payload, qos=1)
        await asyncio.to_thread(info.wait_for_publish, 30)

    async def answer(self, seq: int | None, seconds: float = 30) -> dict[str, Any]:
        """The acknowledgement of that pack."""
        return await asyncio.to_thread(self._answer, seq, seconds)

    def _answer(self, seq: int | None, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            found = self.answers.get(timeout=left)
            if found["seq"] == seq:
                return found
        raise TimeoutError
