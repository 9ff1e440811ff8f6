"""Who is measured: each does the same work, in its own way."""
