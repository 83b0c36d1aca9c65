"""People: who they are, what we know of them, and whether they want to hear from us."""
