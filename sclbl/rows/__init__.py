"""What a user passes as rows, encoded as the blocks that a program reads."""
