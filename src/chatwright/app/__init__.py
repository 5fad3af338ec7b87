"""The top floor: settings, wiring, the one list of plug-ins, and the entry points."""
