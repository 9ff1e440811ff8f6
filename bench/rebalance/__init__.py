"""How long partitions stand still when a group of workers changes, and what fences a worker that lost them."""
