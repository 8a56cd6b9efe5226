"""`python -m actions.ps7.testing.simulator`."""

from __future__ import annotations

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
