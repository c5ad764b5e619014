"""The report of a checked net: its figures as values, and these as tables, as JSON, and for other programs."""
