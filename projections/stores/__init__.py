"""Where read models are kept: one port (`port.py`) and its stores."""
