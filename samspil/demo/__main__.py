"""``python -m samspil.demo [--ui]``."""

import sys

from samspil.demo import demo

if __name__ == "__main__":
    try:
        sys.exit(0 if demo(ui="--ui" in sys.argv[1:]) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
