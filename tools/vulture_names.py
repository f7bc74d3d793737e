"""Names that are used where vulture cannot see: by a library or a protocol. One line each, with why."""

NAMES = frozenset(
    {
        "Dependencies",  # hatchling finds it by its base class
        "FacesContract",  # named in .importlinter
        "NamesContract",
        "PlacedContract",
        "Scripts",  # registers itself with Alembic by its dialect
        "_init_shared_socket",  # granian calls it
        "handle",  # starlette calls it on a route
        "render_broken_contract",  # import-linter calls it
        "tm",  # pgqueuer's Driver protocol
    }
)
