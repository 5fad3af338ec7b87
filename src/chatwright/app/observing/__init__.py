"""What operators see of a process: numbers, lines of log and traces of its calls and its work."""
