"""What the log means now. Everything here is rebuilt from the log alone."""
