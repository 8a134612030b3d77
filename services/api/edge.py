"""The outermost layer, in plain ASGI: too large a body ends here, and every answer is made safe and measured."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import problems
from services.errors import Fault, RequestFault
from services.metrics import Metrics

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_CLOSE = (b"connection", b"close")
UNMATCHED = "unmatched"


class Edge:
    """Wraps the application. A body above `max_body_bytes` is refused before it is read whole."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, metrics: Metrics) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(scope, receive, send, self._max_body_bytes).run(
                self._app, self._metrics
            )
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self._method: str = scope["method"]
        # The server drops the body of an answer to HEAD; it knows the method from its own scope.
        self._scope = {**scope, "method": "GET"} if self._method == "HEAD" else scope
        self._receive = receive
        self._send = send
        self._left = max_body_bytes
        self._announced = 0
        self._endless = False
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                self._announced = int(value[:19])
            elif name == b"transfer-encoding":
                self._endless = True
        self._status = 500

    async def run(self, app: ASGIApp, metrics: Metrics) -> None:
        started = time.perf_counter()
        try:
            if self._announced > self._left:
                await problems.response(_too_large())(self._scope, self.receive, self.send)
            else:
                await app(self._scope, self.receive, self.send)
        finally:
            route = getattr(self._scope.get("route"), "path", UNMATCHED)
            metrics.request(self._method, route, self._status, started)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise _too_large()
            self._endless = self._endless and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = message["headers"] = [*message.get("headers", ()), *_RAW_HEADERS]
            if self._endless and _CLOSE not in headers:
                # or the rest of a body without an end would still be taken in
                headers.append(_CLOSE)
        await self._send(message)


def _too_large() -> RequestFault:
    return RequestFault(
        Fault.BODY_TOO_LARGE,
        "Send less: the server's setting is CIVIC_MAX_BODY_BYTES.",
        headers={"Connection": "close"},
    )
