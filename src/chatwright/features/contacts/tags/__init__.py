"""Tags: names that are put on contacts."""
