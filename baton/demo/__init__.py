"""A small believable world that sends traffic: for looking at Baton before the first lead of one's own."""
