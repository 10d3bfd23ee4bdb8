"""What the commands of `audit.cli` do, apart from it so that `--help` stays fast."""
