"""What is shipped to run Envoi elsewhere than in Compose: users of Redis, manifests, units."""
