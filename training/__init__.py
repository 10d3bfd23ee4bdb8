"""Everything that made a file we ship; nothing here is installed."""
