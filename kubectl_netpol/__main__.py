"""`python -m kubectl_netpol`."""

import sys

from kubectl_netpol.cli import main

sys.exit(main())
