"""`heard`: one file a command. A command reads its arguments, asks (`reach`), and prints."""
