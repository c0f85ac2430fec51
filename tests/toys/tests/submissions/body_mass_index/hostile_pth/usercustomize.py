# As sitecustomize.
import builtins

builtins.caredrill_canary = "usercustomize"
open("caredrill_canary", "w").close()
