"""Pages and files that were made once, answered again to everybody until something changes."""
