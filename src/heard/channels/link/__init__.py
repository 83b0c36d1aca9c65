"""A campaign's public link: who it names, the tools whose mails it stands in, and the block they take."""
