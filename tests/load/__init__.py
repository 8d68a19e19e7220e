"""What many visitors at once cost a server: `python -m tests.load`."""
