"""What a source sends: events and traits as they were seen, and the tracking plan that says what should come."""
