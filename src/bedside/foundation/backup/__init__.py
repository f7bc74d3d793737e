"""Backups of a home that runs on: a base of the database, its log after it, and the home's files, all encrypted.

sealed      one encrypted object (zstd in age) and its hash
keys        the recovery key, which opens and vouches for everything; the home holds only what writes
store       where the objects go: a folder
manifest    what belongs to one set, signed
retention   which sets may go
settings    what the home was told, and how it stands
wal, base   PostgreSQL's own tools: pg_receivewal, pg_basebackup
archive     one line of sets being written
archiver    the process that does so while the program runs
check       whether what is kept is whole
restore     into an empty home
"""
