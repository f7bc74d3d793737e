"""visits: visits, their links, who was present, chat, notes"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward."""
    op.execute(
        """
        create schema visits;

        create table visits.visit (
            tenant int not null,
            id text not null,
            status text not null
                check (status in ('handed','taken','invited','waiting','in-progress','finished','cancelled')),
            patient text not null,
            person text not null,            -- the patient as a person of access
            reason text not null,
            alarm text,                      -- the alarm that led here
            asked_by text not null,
            asked_by_name text not null,
            clinician text,                  -- who holds it
            clinician_name text,
            asked_at timestamptz not null,
            started_at timestamptz,
            ended_at timestamptz,
            country text, subdivision text, address text, callback text,
            agreed_at timestamptz,
            decision jsonb,                  -- the licence decision as it stands
            primary key (tenant, id)
        );
        create index on visits.visit (tenant, patient, asked_at desc);
        create index on visits.visit (tenant, clinician, status);

        create table visits.link (
            tenant int not null,
            visit text not null,
            token bytea not null,            -- SHA-256 of the secret in the link
            device bytea,                    -- SHA-256 of the secret on the device that confirmed it
            made_at timestamptz not null,
            expires_at timestamptz not null,
            wrong int not null default 0,
            dead_at timestamptz,
            primary key (tenant, token),
            foreign key (tenant, visit) references visits.visit (tenant, id)
        );
        create unique index on visits.link (tenant, device) where device is not null;
        create index on visits.link (tenant, visit);

        create table visits.presence (
            tenant int not null,
            visit text not null,
            connection text not null,
            who text not null,
            name text not null,
            role text not null,
            joined_at timestamptz not null,
            left_at timestamptz,
            primary key (tenant, visit, connection),
            foreign key (tenant, visit) references visits.visit (tenant, id)
        );

        create table visits.event (
            tenant int not null,
            visit text not null,
            number int not null,
            at timestamptz not null,
            who text not null,
            event text not null,
            detail text not null,
            primary key (tenant, visit, number),
            foreign key (tenant, visit) references visits.visit (tenant, id)
        );

        create table visits.chat (
            tenant int not null,
            visit text not null,
            id text not null,                -- given by the writer's browser: a repeat is harmless
            at timestamptz not null,
            who text not null,
            name text not null,
            text text not null,
            primary key (tenant, visit, id),
            foreign key (tenant, visit) references visits.visit (tenant, id)
        );

        create table visits.note (
            tenant int not null,
            visit text not null,
            author text not null,
            author_name text not null,
            text text not null,
            revision bigint not null,
            saved_at timestamptz not null,
            signed_at timestamptz,
            decision jsonb,                  -- the licence decision at signing
            primary key (tenant, visit),
            foreign key (tenant, visit) references visits.visit (tenant, id)
        );
        create table visits.amendment (
            tenant int not null,
            visit text not null,
            number int not null,
            author text not null,
            author_name text not null,
            text text not null,
            signed_at timestamptz not null,
            primary key (tenant, visit, number),
            foreign key (tenant, visit) references visits.note (tenant, visit)
        );

        -- A signed note is immutable, whatever the code above does.
        create function visits.keep_signed() returns trigger language plpgsql as $$
        begin
            raise exception 'a signed note cannot change';
        end $$;
        create trigger keep_signed before update or delete on visits.note
            for each row when (old.signed_at is not null) execute function visits.keep_signed();
        create trigger keep_signed before update or delete on visits.amendment
            for each row execute function visits.keep_signed();
        """
    )
