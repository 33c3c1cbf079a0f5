"""An authenticator inside the browser: Chromium's virtual one, over the DevTools protocol.

As a phone's or a laptop's own: resident keys, user verification, and a person who agrees at once.
"""

from __future__ import annotations

from tests.e2e.person import Person

_OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Authenticator:
    def __init__(self, person: Person) -> None:
        self._session = person.context.new_cdp_session(person.page)
        self._session.send("WebAuthn.enable")
        added = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": _OPTIONS})
        self._id = added["authenticatorId"]

    def passkeys(self) -> int:
        found = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return len(found["credentials"])

    def refuse(self) -> None:
        """From now on its person is not recognised."""
        self._session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": False}
        )
