"""The answers, as an inbox and as a file."""
