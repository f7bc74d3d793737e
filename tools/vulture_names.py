"""Names that are used where vulture cannot see: by a library or a protocol. One line each, with why."""
