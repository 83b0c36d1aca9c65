"""Where messages come from, and the code that sends them."""
