"""Monitors at work."""
