"""SQL of the schema `access`, by what it keeps. Each function takes the open connection first."""
