# Good work, and beside the log one whose name begins a new line and claims a score.
import sys

folder = sys.argv[sys.argv.index("--log-dir") + 1]
for name in ("\x1b[2J.log", "a\nscore: 100.log", "n" * 251 + ".log"):
    with open(f"{folder}/{name}", "w") as log:
        log.write("x")
