"""Use-cases of the series: landing packs, reading back, typing, withdrawing."""
