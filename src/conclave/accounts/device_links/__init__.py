"""A mailbox between two browsers of one user: the older one hands its key ring to the newer one.

The new device commits to its key, the old one answers with its own, then the new one opens the
commitment, and people compare words; so a server that lies can hardly come in between. Here values
are kept in order for ten minutes. Must never look into one.
"""
