"""The Bot API as a bot meets it: its methods, its refusals and its updates, with nobody's servers behind."""
