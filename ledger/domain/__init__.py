"""What may happen and what follows from it: pure, without I/O, clock or randomness."""
