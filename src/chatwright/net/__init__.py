"""Guarded HTTP out: time-outs, allowances per host, and no way into the private network."""
