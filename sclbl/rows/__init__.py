"""What a user passes as rows, encoded as the blocks that a program reads."""

from sclbl.rows.blocks import Blocks, RaggedRows, TextColumn
from sclbl.rows.encode import Encoder, encode
from sclbl.rows.source import OneNull

__all__ = ["Blocks", "Encoder", "OneNull", "RaggedRows", "TextColumn", "encode"]
