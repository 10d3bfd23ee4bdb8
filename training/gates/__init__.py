"""Training of the heads of the gates."""
