"""records: which item of an array a value stands in, for composite searches; the texts that go with codes, for :text.

place is null in nearly every row, and a null costs no byte there: eight columns' nulls fit into a row's header.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PLACE = "alter table records.entry add column place integer"

# What is written beside codes (a display, CodeableConcept.text), folded, each once: rows of records.entry speak of it
# by its hash. Two writers of a new text may both write it; that harms nothing, and neither waits for the other.
PHRASE = """
create table records.phrase (
    key bigint not null,
    tenant integer not null,
    param integer not null,
    folded text collate "C" not null
);
create index phrase_find on records.phrase (tenant, param, folded, key);
create index phrase_key on records.phrase (tenant, param, key);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(PLACE)
    op.execute(PHRASE)
