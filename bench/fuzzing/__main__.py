"""`python -m fuzzing NAME`: one parser, for `$CONCLAVE_FUZZ_SECONDS`, by `$CONCLAVE_FUZZ_SEED`.

In the repository's folder, with `src` and `bench` in `$PYTHONPATH`.
"""

from __future__ import annotations

import sys

from fuzzing import cluster, joining, service, sockets
from fuzzing.dice import Parser, start

PARSERS: dict[str, type[Parser]] = {
    "twirp": service.Twirp,
    "webhook": cluster.Webhooks,
    "parameters": joining.Parameters,
    "join_request": joining.JoinRequests,
    "signal": sockets.Frames,
    "token": joining.Tokens,
    "room_config": joining.RoomConfigs,
    "cluster_answer": cluster.Answers,
}

if __name__ == "__main__":
    start(sys.argv[1], PARSERS[sys.argv[1]])
