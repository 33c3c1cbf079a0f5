"""The schema's history: one linear Alembic line, shipped with the program and run at its start.

`HEAD` is the newest revision, `SCHEMA_VERSION` its number. `SCHEMA_COMPAT` is the oldest schema
number a program may know and still use a database of this version: raise it with a migration that
older programs cannot live with (a contract step). A test holds both to the files.
"""

HEAD = "0011"
SCHEMA_VERSION = 11
# An older program would end planned meetings for being empty.
SCHEMA_COMPAT = 10
