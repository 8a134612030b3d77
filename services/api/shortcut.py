"""The shortest way to the handler that most requests are for: a citizen's choice."""

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api import problems
from services.errors import KNOWN_ERRORS


class Shortcut:
    """Leads what one route is for to its handler, past the layers that this handler has no use for.

    They take as long as the handler itself. The route stays where it is among the others, too: there it is
    documented, and there it takes what does not come this way.
    """

    def __init__(self, app: ASGIApp, route: Route) -> None:
        self._app = app
        self._route = route
        (self._method,) = route.methods or {"GET"}
        self._beginning, _, rest = route.path.partition("{")
        parameter, _, self._ending = rest.partition("}")
        self._parameter = parameter.removesuffix(":path")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if (
            scope.get("method") != self._method
            or not path.startswith(self._beginning)
            or not path.endswith(self._ending)
        ):
            await self._app(scope, receive, send)
            return
        value = path[len(self._beginning) : -len(self._ending)]
        scope["path_params"] = {self._parameter: value}
        scope["route"] = self._route
        try:
            response = await self._route.endpoint(Request(scope, receive))
        except KNOWN_ERRORS as error:
            problems.note(error)
            response = problems.response(error)
        except Exception as error:
            await problems.response(error)(scope, receive, send)
            raise  # the server writes it to the operator's log
        await response(scope, receive, send)
