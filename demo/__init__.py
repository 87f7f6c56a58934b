"""The demonstration: every part of Envoi on one machine, with a sandbox in place of the Graph API."""
