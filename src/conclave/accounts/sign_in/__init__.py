"""Ways to a session for whoever is not signed in: passkey, password, recovery code, one-time links,
registration. Must never tell whether an account exists, by words, status or time."""
