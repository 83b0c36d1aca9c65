"""Campaigns and their surveys: made, tried, activated, and what came of them."""
