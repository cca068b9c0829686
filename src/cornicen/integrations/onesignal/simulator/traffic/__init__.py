"""What happens to a request on its way: rates, faults, and the book that is kept of all of them."""
