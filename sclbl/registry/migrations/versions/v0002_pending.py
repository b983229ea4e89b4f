"""Uploads that wait to be confirmed, and what a server found when it checked a program."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "pending",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("spec_sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("alias", sa.String(64)),
        sa.Column("docs", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("checked", sa.Text),
        sa.Column("request_id", sa.String(128)),
        sa.Column("version", sa.Integer),
        sa.Column("confirmed", sa.String(64)),
        sa.UniqueConstraint("request_id", name="uq_pending_request_id"),
    )
    op.create_index("ix_pending_created_at", "pending", ["created_at"])
    op.add_column("versions", sa.Column("checked", sa.Text))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("versions") as versions:
        versions.drop_column("checked")
    op.drop_table("pending")
