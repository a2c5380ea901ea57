"""What a finished set is measured by, and which of its rows are left out: `scores`, `filters`."""
