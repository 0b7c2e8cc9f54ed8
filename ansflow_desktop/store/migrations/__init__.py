"""Alembic's environment for the journal; run from `store.database`, there is no alembic.ini."""
