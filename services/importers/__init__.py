"""Foreign files: a strict reader for each format, and what carries it through the ledger's commands."""
