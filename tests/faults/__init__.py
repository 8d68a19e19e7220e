"""Faults for real: processes killed, connections cut, disks full, two people at once. A short run is part of the suite;
`python -m tests.faults` is the long one, and the story of two servers."""
