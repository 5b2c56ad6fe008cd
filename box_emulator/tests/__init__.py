"""The emulator's own tests. They need nothing outside this package but what requirements-dev.txt lists."""
