"""prescribing: a patient's requests for a refill, and their answers"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward."""
    op.execute(
        """
        create table prescribing.refill (
            tenant int not null,
            id text not null,
            prescription text not null,
            patient text not null,
            state text not null check (state in ('asked', 'renewed', 'refused')),
            asked_at timestamptz not null,
            asked_by_name text not null,
            asked_by_reference text,
            note text not null,
            answered_at timestamptz,
            answered_by_name text,
            reason text not null,
            renewed_as text,
            primary key (tenant, id),
            foreign key (tenant, prescription) references prescribing.prescription (tenant, id),
            foreign key (tenant, renewed_as) references prescribing.prescription (tenant, id),
            check ((state = 'asked') = (answered_at is null)),
            check ((state = 'renewed') = (renewed_as is not null)),
            check (state <> 'refused' or reason <> '')
        );
        -- One that waits for its answer is enough, however often somebody taps.
        create unique index on prescribing.refill (tenant, prescription) where state = 'asked';
        create index on prescribing.refill (tenant, patient, asked_at desc);
        """
    )
