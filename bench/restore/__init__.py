"""How long a worker takes to have its state again, and what a lead costs in memory."""
