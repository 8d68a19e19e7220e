"""Tests of many clients in one act, and a process that is killed while it changes them."""
