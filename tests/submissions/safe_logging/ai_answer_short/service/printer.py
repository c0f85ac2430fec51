"""The label printer's command (supplied): python printer.py [--title TITLE] FILE. Latin-1 only."""

import argparse
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(prog="printer")
    parser.add_argument("--title", default="label", help="shown on the printer's display")
    parser.add_argument("file", type=Path, help="text of the label, UTF-8")
    given = parser.parse_args()
    try:
        (given.title + given.file.read_text(encoding="utf-8")).encode("latin-1")
    except UnicodeEncodeError:
        print("printer: the label has characters that cannot be printed", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
