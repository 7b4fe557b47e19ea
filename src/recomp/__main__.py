"""`python -m recomp`"""

import sys

from recomp.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
