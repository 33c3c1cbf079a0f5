"""The headers that tell a browser what our pages may do. One place, one reason a line.

Nothing is loaded from or sent to another host: `default-src 'none'` and then only what is used. The
one exception is named by a setting: where a LiveKit cluster carries the media, pages connect to it.
"""

from __future__ import annotations

from collections.abc import Sequence

DIRECTIVES: tuple[str, ...] = (
    # Whatever is not named below is forbidden: fonts, frames of others.
    "default-src 'none'",
    # Our bundle alone: no inline script, no eval.
    "script-src 'self'",
    # Our own workers, from files of the bundle: no data: and no blob:.
    "worker-src 'self'",
    # Our style sheets. Styles that React sets go through the CSSOM, which this does not govern.
    "style-src 'self'",
    # The API, the realtime socket and signalling; 'self' covers ws: and wss: of the same host.
    "connect-src 'self'",
    # Icons of the bundle.
    "img-src 'self'",
    # Sounds of the bundle. Camera, microphone and remote tracks are set as srcObject, which this
    # does not govern.
    "media-src 'self'",
    # The installable app.
    "manifest-src 'self'",
    # Our pages hold no frames, and nobody frames them.
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    # Forms are sent by script; a stray <base> or <form> leads nowhere.
    "base-uri 'none'",
    "form-action 'none'",
    # Strings never become HTML or script. The one policy there is makes addresses of workers, and
    # only of our own (web/src/trustedWorker.ts); without it no worker can be started at all.
    "require-trusted-types-for 'script'",
    "trusted-types conclave-worker",
)

CONTENT_SECURITY_POLICY = "; ".join(DIRECTIVES)


def security_headers(connects_to: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """The common headers, where pages may also connect to these origins."""
    policy = CONTENT_SECURITY_POLICY.replace(
        "connect-src 'self'", " ".join(["connect-src 'self'", *connects_to])
    )
    return (
        ("content-security-policy", policy),
        ("permissions-policy", PERMISSIONS_POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    )


# What meetings need is for our own origin; everything else is off.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=(self)"
            for feature in (
                "autoplay",
                "camera",
                "display-capture",
                "fullscreen",
                "microphone",
                "picture-in-picture",
                "screen-wake-lock",
                "speaker-selection",
            )
        ),
        *(
            f"{feature}=()"
            for feature in ("geolocation", "gyroscope", "hid", "midi", "payment", "serial", "usb")
        ),
    ]
)

SECURITY_HEADERS = security_headers()

# Only where the certificate is one that browsers accept: with a self-signed one it would lock
# people out for a year.
STRICT_TRANSPORT_SECURITY = ("strict-transport-security", "max-age=31536000")
