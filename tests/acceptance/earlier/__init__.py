"""Queues as earlier versions have left them in Redis; what this version makes of them is tested in test_upgrade.py."""
