"""What operating a server needs: is it well, and what are its figures. Nothing personal."""

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from projections.tree.publishing import TreeStatus
from services.metrics import CONTENT_TYPE, Metrics
from services.publication import CHECKPOINTS, Publication
from services.upkeep import Upkeep


def add_operations(
    app: FastAPI, upkeep: Upkeep, metrics: Metrics, publication: Publication | None
) -> None:
    """Add `/healthz` and `/metrics`, which no OpenAPI document needs."""

    async def healthz(_: Request) -> Response:
        return health(upkeep, publication)

    async def figures(_: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.add_api_route("/metrics", figures, include_in_schema=False)


def health(upkeep: Upkeep, publication: Publication | None) -> Response:
    """200 while every read model follows the log and checkpoints are published; 503 with what stands still or fails."""
    halted, failing = upkeep.halted(), upkeep.failing()
    checkpoints = TreeStatus() if publication is None else publication.status
    if checkpoints.held_back or checkpoints.refused:
        failing.add(CHECKPOINTS)
    told = {
        "status": "failing" if halted or failing else "ok",
        "log": upkeep.head(),
        "takes_commands": upkeep.leads(),
        "models": {
            model: {"position": position, "halted": halted.get(model)}
            for model, position in upkeep.positions().items()
        },
        "checkpoints": {
            "published": checkpoints.published,
            "signed": checkpoints.signed,
            "held_back": checkpoints.held_back,
            "refused": checkpoints.refused,
            "not_cosigned": dict(checkpoints.missing),
        },
        "failing": sorted(failing),
    }
    return Response(
        orjson.dumps(told),
        503 if halted or failing else 200,
        {"Cache-Control": "no-store"},
        "application/json",
    )
