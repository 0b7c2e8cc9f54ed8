"""Pipeline files: codec, variables, schema and local validation."""
