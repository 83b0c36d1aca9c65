"""How an invitation reaches a person. One new channel is one new room here."""
