"""One's own account: what is known, proving oneself again, credentials, sessions, the end of it."""
