"""What proves who somebody is: passkeys, a password with one-time codes, recovery codes.

Use cases of one's own credentials, and the checks that signing in and reauthentication share. Must
never log, return or compare in the open what somebody has to keep secret.
"""
