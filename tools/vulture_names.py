"""Names that are used where vulture cannot see: by a framework, a template or a protocol. One line each, with why."""
