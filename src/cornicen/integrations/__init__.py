"""Who we talk to: one folder a vendor, holding everything that knows its wire."""
