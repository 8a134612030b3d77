"""The command line: `civic-ledger`."""
