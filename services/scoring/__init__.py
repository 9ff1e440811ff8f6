"""Scores the people behind the events."""
