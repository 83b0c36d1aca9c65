"""E-mail: from an invitation to octets (`render`), and from octets to a server's answer (`smtp`, `outbox`)."""
