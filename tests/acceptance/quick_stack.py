"""A whole Envoi for tests that look at something else than how it starts and ends."""

from __future__ import annotations

from demo.stack import Stack
from envoi.log.schema import upgrade


class QuickStack(Stack):
    """A stack that migrates its log without a process of its own, and ends by SIGKILL.

    Both take seconds in good order, which forty tests need not wait for: that it does start and end so is what
    test_first_path.py, test_compose.py, test_systemd_units.py and test_kubernetes_manifests.py see.
    """

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60.0) -> str:
        """Run one command of ``envoi`` to its end."""
        if arguments == ("migrate",):
            upgrade(self.database_url)
            return ""
        return super().run(*arguments, stdin=stdin, timeout=timeout)

    def close(self) -> None:
        """End everything, and leave nothing."""
        for child in [*self.children(), *([self.redis.child] if self.redis else [])]:
            if child.running:
                child.kill()
        super().close()
