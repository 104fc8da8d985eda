"""Who is compared on held-out hunks, by the names that records have for them."""

ADAPTER = "adapter"
BASE = "prompted"  # with the repository's rules and a few examples in its prompt
EVERYWHERE = "everywhere"  # comments on every hunk and knows nothing of any
SILENT = "silent"
