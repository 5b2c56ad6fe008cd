"""What the programs of this folder stand on. None of it is timed."""
