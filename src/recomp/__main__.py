"""`python -m recomp`"""

import sys

from recomp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
