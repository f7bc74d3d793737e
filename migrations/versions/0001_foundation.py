"""foundation: the job queue's own tables, in schema jobs, all durable (pgqueuer)"""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings, Durability

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward."""
    settings = DBSettings(db_schema="jobs", durability=Durability.durable)
    op.execute(QueryBuilderEnvironment(settings).build_install_query(create_schema=True))
