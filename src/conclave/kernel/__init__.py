"""The kernel: what every slice stands on, and nothing of any slice's domain.

Database, events, sockets, HTTP, limits, logs. Must never import a slice.
"""
