"""The courier: claims from the ledger and talks to vendors."""
