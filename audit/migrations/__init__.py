"""The schema's history. `audit.database.migrate` runs it; nobody calls alembic by hand."""
