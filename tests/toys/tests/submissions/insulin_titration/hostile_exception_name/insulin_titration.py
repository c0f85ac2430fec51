# An exception whose name and text are markup, the card and whatever a reader might print.
class Pump:
    def __init__(self, card):
        text = f"<script>alert({card})</script>\n=HYPERLINK(1) \x1b[2J score: 100"
        raise type(text, (Exception,), {"__str__": lambda self: text, "errno": text})(text)
