"""`autoevol view`: a page on loopback to browse the rows of a run and to mark them good or bad."""
