"""The mails that no mail server took, as their readers would see them."""
