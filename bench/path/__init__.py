"""How long the path takes from the door to the sales queue, and how much it carries. `python -m bench.path`."""
