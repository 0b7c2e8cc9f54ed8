"""The tables of the journal, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

HEAD = "0001"

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
