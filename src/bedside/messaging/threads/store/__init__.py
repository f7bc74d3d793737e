"""SQL of the tables of threads in the schema `messaging`."""
