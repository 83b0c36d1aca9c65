"""What the loops of `heard.pipeline` do in one go: load for a batch, decide one by one, keep in one transaction."""
