"""Lists: who is on them."""
