"""Who gets a message, and why not the others."""
