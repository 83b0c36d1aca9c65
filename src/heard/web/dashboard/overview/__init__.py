"""The score page: state in the URL, figures, charts, filters, and the same as files."""
