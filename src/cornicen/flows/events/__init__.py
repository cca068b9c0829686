"""Records in: credential to project, stamp, spool."""
