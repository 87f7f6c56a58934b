"""The queue in Redis: Lua scripts, one file each, and their callers."""
