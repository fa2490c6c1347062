"""Test your own check, scripts and options on a virtual clock; docs/testing.md shows how."""

from heat.testing.programs import ProgramDouble, Run
from heat.testing.world import Signal, World

__all__ = ["ProgramDouble", "Run", "Signal", "World"]
