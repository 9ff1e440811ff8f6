"""The engine that all stages run on. Knows no lead."""
