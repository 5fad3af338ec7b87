"""Events to members' browsers and to programs, as they happen."""
