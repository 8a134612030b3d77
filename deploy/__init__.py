"""How the ledger and what it stands on are set up and run. Not part of the wheel."""
