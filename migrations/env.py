"""Alembic's entry: runs the versions on the connection that bedside.foundation.migrate hands over, a transaction each.

`op.execute(text)` runs a whole script of plain SQL, any number of statements, colons and all: asyncpg's own
simple-query protocol instead of SQLAlchemy's one prepared statement with :binds.
"""

from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy.util import await_only


class Scripts(PostgresqlImpl):
    """Registered by its dialect's name in place of Alembic's own."""

    __dialect__ = "postgresql"

    def execute(self, sql, execution_options=None):
        """A string is a script; anything else is Alembic's matter."""
        if not isinstance(sql, str):
            super().execute(sql, execution_options)
            return
        self.connection.exec_driver_sql("select")  # SQLAlchemy begins the transaction at its first statement
        await_only(self.connection.connection.driver_connection.execute(sql))


def applied(*, ctx, step, **_):
    """In the step's own transaction: which Bedside took it; and whoever listens is told."""
    words = context.config.attributes["version"].replace("'", "''")
    ctx.connection.exec_driver_sql(f"comment on table foundation.alembic_version is '{words}'")
    context.config.attributes["applied"](step=step)


context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="foundation",
    transactional_ddl=True,
    transaction_per_migration=True,
    on_version_apply=applied,
)
with context.begin_transaction():
    context.run_migrations()
