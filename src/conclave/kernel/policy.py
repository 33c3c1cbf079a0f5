"""The policy of what everybody may use. Slices have their own `policy.py` beside it.

A route without a `require_*` dependency fails the test that walks all routes; saying "anyone" is a
decision, not an omission.
"""

from __future__ import annotations


async def require_anyone() -> None:
    """No condition: the route gives the same to everybody, or decides by what is in the request."""
