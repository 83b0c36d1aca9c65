"""Contacts, one contact's whole story, and why somebody was (not) asked."""
