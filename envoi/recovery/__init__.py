"""Recovery: putting back from the log what a wiped Redis lost. Needs SQLAlchemy; ``import envoi`` does not load it."""
