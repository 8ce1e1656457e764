"""The commands: each parses, calls one plain function, prints."""
