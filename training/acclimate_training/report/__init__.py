"""The report for people: one HTML page a version, which needs nothing but itself."""
