"""Orders, and Envoi's outbox beside them (docs/outbox.md)."""

from django.db import models


class Order(models.Model):
    number = models.BigIntegerField(primary_key=True)
    person = models.CharField(max_length=64)
    job_id = models.CharField(max_length=26)


class Outgoing(models.Model):
    """What is committed here is enqueued by `envoi outbox relay`, once."""

    id = models.BigAutoField(primary_key=True)
    job_id = models.TextField(unique=True)
    job = models.TextField()
    created_at = models.DateTimeField()
    error = models.TextField(null=True)
    refused_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "envoi_outbox"
        indexes = (models.Index("id", condition=models.Q(error=None), name="ix_envoi_outbox_waits"),)
