"""The responses that say the same in every room: server facts, `leave`, request answers.

Versions and numbers that clients read are here: `SERVER_VERSION` must parse as semver and be at
least 1.8.0, `PROTOCOL` is LiveKit's signalling protocol number. Must never hold state.
"""

from __future__ import annotations

from livekit.protocol import models, rtc

SERVER_VERSION = "1.13.5"
"""The LiveKit server whose behaviour clients may expect; gates features in some of them."""
PROTOCOL = 17

Action = rtc.LeaveRequest.Action
Reason = models.DisconnectReason
Answer = rtc.RequestResponse.Reason

PUBLISH_CODECS = ("audio/opus", "video/VP8", "video/H264", "video/VP9", "video/AV1")
"""What the engine can pick from an offer; clients fall back to the first that they have."""


def server_info() -> models.ServerInfo:
    return models.ServerInfo(
        edition=models.ServerInfo.Edition.Standard,
        version=SERVER_VERSION,
        protocol=PROTOCOL,
        node_id="conclave",
        agent_protocol=1,
    )


def leave(action: Action, reason: Reason) -> rtc.SignalResponse:
    return rtc.SignalResponse(
        leave=rtc.LeaveRequest(
            # Read by clients older than protocol 13 only.
            can_reconnect=action != Action.DISCONNECT,
            reason=reason,
            action=action,
        )
    )


def track_published(cid: str, info: models.TrackInfo) -> rtc.SignalResponse:
    return rtc.SignalResponse(track_published=rtc.TrackPublishedResponse(cid=cid, track=info))


def subscription_error(track: str, error: models.SubscriptionError) -> rtc.SignalResponse:
    return rtc.SignalResponse(
        subscription_response=rtc.SubscriptionResponse(track_sid=track, err=error)
    )


def enabled_codecs() -> list[models.Codec]:
    return [models.Codec(mime=mime) for mime in PUBLISH_CODECS]
