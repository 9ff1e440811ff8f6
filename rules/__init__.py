"""Conditions as data: parsed with line numbers, checked, compiled, explained. Knows no lead and no queue."""
