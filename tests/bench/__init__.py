"""Benchmarks: `python -m tests.bench` prints what each read, write and page takes, and its ratio to the bare driver."""
