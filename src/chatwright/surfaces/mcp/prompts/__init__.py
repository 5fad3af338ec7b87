"""Starting points for people: the workflows they run, with what these need at hand."""
