"""The connection to Box: pooled, bounded in time, and repeated only where that is safe."""
