"""From a parsed file to a design: imports are read, and names bound."""
