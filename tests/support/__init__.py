"""Real tiny objects for the tests, and the attackers."""
