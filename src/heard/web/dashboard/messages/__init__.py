"""The debugger: what came in, live, and what became of it."""
