"""The log's Merkle tree on its way to the public (design, section 8).

Order, always: committed in the log → bundles and tiles on disk (`folder`) → the last-signed store moves by
compare-and-swap (`last_signed`) → sign → cosign (`cosigning`) → publish (`folder`) → receipts. `worker` is that order.
"""
