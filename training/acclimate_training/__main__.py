"""The background process: `python -P -m acclimate_training JOB.json`. Progress goes to `progress.jsonl` beside it."""

import sys
from pathlib import Path

from .pipeline import run_job

if __name__ == "__main__":
    sys.exit(run_job(Path(sys.argv[1])))
