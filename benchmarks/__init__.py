"""Proofs under load, and how quick it all is."""
