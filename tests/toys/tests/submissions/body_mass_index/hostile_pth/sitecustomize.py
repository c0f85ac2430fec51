# Run by every Python that finds it as it starts.
import builtins
import os

builtins.caredrill_canary = "sitecustomize"
open("caredrill_canary", "w").close()
os.environ["PYTEST_ADDOPTS"] = "-p cheat"
