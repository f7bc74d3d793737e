# Filled by the ground work; see `make help`.
help:
	@echo "make setup | demo | test | check"
