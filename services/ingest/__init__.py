"""Takes events in: validate, normalise, identify."""
