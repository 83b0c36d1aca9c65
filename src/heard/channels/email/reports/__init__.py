"""What providers and mail servers report of mails that were handed to them: one file each, and nothing but reading."""
