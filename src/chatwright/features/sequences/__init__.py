"""Messages that follow one another over days, per enrolled contact."""
