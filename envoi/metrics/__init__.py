"""What Prometheus may ask a worker and a scheduler, and whether they are alive and ready (docs/metrics.md)."""
