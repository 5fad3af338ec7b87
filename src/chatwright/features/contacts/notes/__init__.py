"""Notes that people and agents keep about contacts."""
