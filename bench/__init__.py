"""What a scored event costs: our stage beside other stream engines that do the same work. `python -m bench`."""
