"""Doctests are looked for in every file: not in those that import a library which may be missing."""

collect_ignore_glob = ["peer_*.py"]
