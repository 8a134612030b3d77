"""The rules of the ledger, said a second time: what has to be true of each event after all events before it.

A choice that breaks a rule is named and is not counted; all other events take effect as well as they can, so that
one wrong event does not hide or invent others.
"""
