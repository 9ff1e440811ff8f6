"""`baton explain`: where a lead is and why, as a page that a person of revenue operations understands without help."""
