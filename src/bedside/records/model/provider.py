"""A read provider: resources that another room keeps in its own tables and that appear in the record without a copy.

The room gives a view in its own schema, named here, and a renderer. Records filters, sorts and pages on the view's
columns by SQL, authorises each patient, and asks the renderer for the FHIR resources of one page by their ids.

The view has one row for each resource as it now stands, and these columns, none null:

    tenant   integer
    id       text          the FHIR id, unique in (tenant, type); `owns(id)` is true for it
    patient  text          the patient's logical id, without `Patient/`
    at       timestamptz   when it happened: the sort key of the type's own date (Observation: start of effective)
    updated  timestamptz   meta.lastUpdated of the current version
    version  integer       meta.versionId of the current version, from 1

and the search columns that `columns` names. A search parameter without a column matches none of the view's rows
(and all of them with :not or :missing=true). Conditions reach the view as plain WHERE on its columns, always
`tenant = $n`, nearly always `patient = any($n)`, often `at < $n … order by at desc, id limit 21`: build the view so
that PostgreSQL can push these down (group only by columns that it can filter).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple


class Column(NamedTuple):
    """Where the view keeps the values of one search parameter.

    kind and the SQL types expected (an empty array says that the resource has no such value):

    token      name: text[] of `system|code` (`|code` where the system is none), every coding of the element
    reference  name: text[] of `Type/id`
    date       name: timestamptz, low; other: timestamptz, the end of the half-open span [low, other)
    quantity   name: float8[]; other: text[] of UCUM codes, in parallel (their system is http://unitsofmeasure.org)

    Columns of one array's parts (`component-code`, `component-value-quantity`) are parallel too, one value an item.
    texts: of a token, what `render` writes beside each `system|code`, for `:text`. units: of a quantity, every UCUM
    code that it may hold, so that a search in another unit is converted.
    """

    kind: Literal["token", "reference", "date", "quantity"]
    name: str
    other: str | None = None
    texts: Mapping[str, tuple[str, ...]] = {}
    units: tuple[str, ...] = ()


class ReadProvider(NamedTuple):
    """See the module. Handed to `records.provide` by app at composition.

    type: the FHIR resource type, e.g. `Observation`. room: whose they are.
    view: schema-qualified, e.g. `monitoring.observation`.
    columns: search parameter code to its column. For Observation monitoring is expected to give at least
        code, category, status (token), date (date: at and its end), subject, patient (reference `Patient/id`),
        device (reference), value-quantity (quantity), component-code, combo-code (token),
        component-value-quantity, combo-value-quantity (quantity).
        Composites are answered from the columns of their parts.
    owns: whether an id has the shape of this provider's ids. Pure and quick: each read and write of the type asks it,
        so the shape must not be one that a client or uuid7 would make (say, a fixed letter prefix).
    render: (ctx, ids) to the resources, each whole (id, meta.versionId, meta.lastUpdated, …), by id; ids that do not
        exist are left out. Authorisation was done by the patients of the view's rows.
    patient_of: (ctx, id) to the patient's logical id, or None if no such resource: for a read, before authorising.
    versions: (ctx, id) to every version of one resource, newest first; [] when there is none.
    operation: what a person uses instead of a FHIR write, named in the 409.
    holders: a relation with tenant and patient of everybody of whom the view may have a row; it is asked first, since
        planning a view of some size costs more than finding nothing in it. Empty: the view is asked always.
    documentation: what the CapabilityStatement says of these resources beside the type's own.
    """

    type: str
    room: str
    view: str
    columns: Mapping[str, Column]
    owns: Callable[[str], bool]
    render: Callable[[Any, Sequence[str]], Awaitable[dict[str, dict[str, Any]]]]
    patient_of: Callable[[Any, str], Awaitable[str | None]]
    versions: Callable[[Any, str], Awaitable[list[dict[str, Any]]]]
    operation: str
    holders: str = ""
    documentation: str = ""
