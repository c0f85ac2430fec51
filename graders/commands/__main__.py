"""`python -m graders.commands`, for environments where the script is not on PATH."""

import sys

from graders.commands import main

sys.exit(main())
