"""Values that every phase uses: records, symbolic sizes, places in texts, diagnostics and how they are shown."""
