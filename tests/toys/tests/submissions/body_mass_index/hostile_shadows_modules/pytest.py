# In the place of the module of this name.
import builtins

builtins.caredrill_canary = "pytest"
open("caredrill_canary", "w").close()


def __getattr__(name):
    return lambda *args, **more: True
