"""prescribing: prescriptions, their steps, the pharmacies they go to"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward."""
    op.execute(
        """
        create schema prescribing;

        create table prescribing.pharmacy (
            tenant int not null,
            id text not null,
            name text not null,
            telephone text not null,
            address text not null,
            primary key (tenant, id)
        );

        create table prescribing.prescription (
            tenant int not null,
            id text not null,
            status text not null check (status in ('draft','signed','accepted','dispensed','refused','cancelled')),
            patient text not null,
            pharmacy text not null,
            prescriber text not null,
            prescriber_name text not null,
            name text not null,
            draft jsonb not null,
            checks jsonb not null,
            written_at timestamptz not null,
            signed_at timestamptz,
            primary key (tenant, id),
            foreign key (tenant, pharmacy) references prescribing.pharmacy (tenant, id)
        );
        create index on prescribing.prescription (tenant, patient, written_at desc);
        create index on prescribing.prescription (tenant, pharmacy, status, signed_at);

        -- A signed prescription cannot change: only its status moves on, whatever the code above does.
        create function prescribing.keep_signed() returns trigger language plpgsql as $$
        begin
            if old.status <> 'draft' and (old.draft, old.checks, old.name, old.patient, old.prescriber, old.pharmacy,
                old.signed_at) is distinct from (new.draft, new.checks, new.name, new.patient, new.prescriber,
                new.pharmacy, new.signed_at) then
                raise exception 'a signed prescription cannot change';
            end if;
            return new;
        end $$;
        create trigger keep_signed before update on prescribing.prescription
            for each row execute function prescribing.keep_signed();

        create table prescribing.step (
            tenant int not null,
            prescription text not null,
            number int not null,
            step text not null,
            at timestamptz not null,
            who text not null,
            reason text not null,
            primary key (tenant, prescription, number),
            foreign key (tenant, prescription) references prescribing.prescription (tenant, id)
        );
        """
    )
