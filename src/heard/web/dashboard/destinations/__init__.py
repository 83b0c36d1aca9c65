"""Where messages go: destinations, what became of messages there, and what keeps them from it."""
