"""What the emulator's tests share with the engine's."""

from box_auth.tests.journey import ROOT, clean_environment, free_port

__all__ = ["ROOT", "clean_environment", "free_port"]
