"""stub"""

from starlette.responses import Response


class Pages:
    def __init__(self, system, reading): ...
    def error(self, error):
        return Response("error", 500)

    def add_to(self, app): ...
