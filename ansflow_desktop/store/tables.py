"""The tables of the journal and of the library, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

HEAD = "0002"

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("pipeline", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("finished", Float),
    Column("phase", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String, nullable=False),
    Column("boot", String, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("runs_started", "started"),
)

events = Table(
    "events",
    metadata,
    Column("run", String, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("type", String, nullable=False),
    Column("json", Text, nullable=False),
    sqlite_with_rowid=False,
)

library = Table(
    "library",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("updated", Float, nullable=False),
)
