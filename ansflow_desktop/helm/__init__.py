"""Charts on disk, values, Helm's commands per major version, and releases."""
