"""A patient's targets: the range a clinician hopes for. They raise nothing; limits do that (rules)."""
