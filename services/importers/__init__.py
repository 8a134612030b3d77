"""Foreign files: strict readers, one a format, and what carries their content through the ledger's commands."""
