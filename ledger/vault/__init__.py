"""The vault: the only place where identity, citizen id, keys and private parts meet (design, section 7)."""
