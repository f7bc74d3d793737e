"""records: how far the search index has been written anew, since what stands in it has changed with the program."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# generation: what the index holds, counted by the program. tenant, rid: the last resource looked at. total: resources
# when it began. renewed: those whose rows had to be written.
REINDEX = """
create table records.reindex (
    generation integer primary key,
    tenant integer not null,
    rid bigint not null,
    done bigint not null,
    renewed bigint not null,
    total bigint not null,
    began timestamptz not null,
    ended timestamptz
);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(REINDEX)
