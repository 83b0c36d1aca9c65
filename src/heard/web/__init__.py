"""What people see in a browser: the survey pages, the outbox, the dashboard and the API."""
