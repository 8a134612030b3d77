"""The event log: one port (`port.py`), and the recorders that pass its contract."""
