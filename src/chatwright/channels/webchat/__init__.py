"""The bubble on a web page, as a channel like any other."""
