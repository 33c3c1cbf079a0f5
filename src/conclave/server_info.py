"""`GET /api/v1/server`: what this server is, for the client's error messages and tests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

import conclave
from conclave.kernel.app import App, current_app
from conclave.kernel.policy import require_anyone

router = APIRouter(prefix="/api/v1", tags=["server"])


class MediaInfo(BaseModel):
    engine: str
    udp_ports: list[int]


class ServerInfo(BaseModel):
    name: str
    version: str
    media: MediaInfo


@router.get("/server", dependencies=[Depends(require_anyone)])
async def server(app: Annotated[App, Depends(current_app)]) -> ServerInfo:
    media = app.settings.media
    ports = range(media.udp_port, media.udp_port + media.shards)
    return ServerInfo(
        name="conclave",
        version=conclave.__version__,
        media=MediaInfo(
            engine=media.engine, udp_ports=list(ports) if media.engine == "embedded" else []
        ),
    )
