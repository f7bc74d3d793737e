"""monitoring: the view by which the record finds alarms, as DetectedIssues.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

VIEW = """
-- Every alarm as records searches it (records' ReadProvider). A version is a line of its history.
create view monitoring.detected_issue as
select a.tenant,
       'a.' || a.id as id,
       a.patient,
       a.raised_at as at,
       a.raised_at + interval '1 microsecond' as until,
       e.updated,
       e.version,
       array['urn:bedside:alarm-cause|' || split_part(a.cause, ':', 1)] as code,
       array['urn:bedside:alarm|' || a.id] as identifier,
       array['Patient/' || a.patient] as subject,
       array(select distinct 'Observation/' || (i ->> 'id')
             from jsonb_array_elements(a.finding -> 'inputs') i where i ->> 'id' is not null)
           || case when a.cause like '%:%' then array['Device/' || split_part(a.cause, ':', 2)]
              else array[]::text[] end as implicated
from monitoring.alarm a
cross join lateral (
    select max(l.at) as updated, count(*)::int as version from monitoring.alarm_event l where l.alarm = a.id
) e;
"""


def upgrade() -> None:
    """Make the view."""
    op.execute(VIEW)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
