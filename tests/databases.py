"""Which databases a test needs. By default both; bad input is refused before either is asked."""

from __future__ import annotations

import pytest

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pg_only = pytest.mark.parametrize(
    "database_url", [pytest.param("pg", marks=pytest.mark.pg)], indirect=True
)
