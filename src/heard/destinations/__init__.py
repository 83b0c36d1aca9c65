"""What messages are routed to; one file each."""
