"""For how long raw readings are kept, and what becomes of them then."""
