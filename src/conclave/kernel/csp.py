"""The headers that tell a browser what our pages may do. One place, one reason a line.

Nothing is loaded from or sent to another host: `default-src 'none'` and then only what is used.
"""

from __future__ import annotations

DIRECTIVES: tuple[str, ...] = (
    # Whatever is not named below is forbidden.
    "default-src 'none'",
    # Our bundle alone: no inline script, no eval.
    "script-src 'self'",
    # Our style sheets. Styles set from script through the CSSOM are not restricted by this.
    "style-src 'self'",
    # The API, the realtime socket and signalling; 'self' covers ws: and wss: of the same host.
    "connect-src 'self'",
    # Icons of the bundle, and images made in the page (screens of a virtual background).
    "img-src 'self' data: blob:",
    # Camera, microphone and remote tracks are MediaStreams; blob: for recorded sounds.
    "media-src 'self' blob: mediastream:",
    "font-src 'self'",
    # The installable app.
    "manifest-src 'self'",
    # Service worker and workers, from files of the bundle only.
    "worker-src 'self'",
    # Our pages hold no frames, and nobody frames them.
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    # Forms are sent by script; a stray <base> or <form> leads nowhere.
    "base-uri 'none'",
    "form-action 'none'",
    # Strings never become HTML or script, but by the one policy of ours.
    "require-trusted-types-for 'script'",
    "trusted-types conclave",
)

CONTENT_SECURITY_POLICY = "; ".join(DIRECTIVES)

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

SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("permissions-policy", PERMISSIONS_POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)

# Only where the certificate is one that browsers accept: with a self-signed one it would lock
# people out for a year.
STRICT_TRANSPORT_SECURITY = ("strict-transport-security", "max-age=31536000")
