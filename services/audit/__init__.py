"""The auditor: an independent program over a log's public files (design, section 8).

source → signature (checkpoint) → bundles (hash, form, rows; in parallel) → tree → rules → counting → report.
It shares no code with what writes the log: the rules are said here a second time (docs/decisions/0011).
"""
