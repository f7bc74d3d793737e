"""Identity, sessions, grants, consent decisions, audit."""
