"""Broadcasts: one message to many people, kept in SQL and fed into the queue by a scheduler (docs/broadcasts.md)."""
