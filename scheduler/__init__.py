"""What happens without being asked: times that come, leases that run out, the gate after a restart, the log."""
