"""The history of the tables, one file a step, never changed once released."""
