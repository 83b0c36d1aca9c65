"""The one way out over HTTP: whatever a member writes as an address, nothing but the public internet is reached."""
