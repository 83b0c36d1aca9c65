"""Audiences and computed traits, and who is in."""
