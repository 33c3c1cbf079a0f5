"""Alembic's entry: runs the steps on the connection that `kernel/migrate.py` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=True,
    # The caller's transaction holds the write lock; Alembic must not commit in between.
    transactional_ddl=True,
)
context.run_migrations()
