"""`python -m bedside` is the `bedside` command."""

from bedside.cli import main

main()
