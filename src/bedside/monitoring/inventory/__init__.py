"""The clinic's devices as things: which there are, who held each when, what it last said, and how it ends."""
