"""Who works here: the workspace, its members and its keys."""
