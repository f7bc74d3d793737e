"""Pure: what a pack says and which of its readings can be taken."""
