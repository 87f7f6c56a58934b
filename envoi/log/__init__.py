"""The log: what became of every job and every call, in SQL. Needs SQLAlchemy; ``import envoi`` does not load it."""
