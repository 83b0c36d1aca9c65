"""What a workspace is set up with, and who changed what."""
