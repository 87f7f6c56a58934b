"""The operators' console: small web pages to see and act, behind a password (docs/console.md).

It needs ``envoi[console]``. ``envoi console`` runs it; nothing else of Envoi imports it.
"""
