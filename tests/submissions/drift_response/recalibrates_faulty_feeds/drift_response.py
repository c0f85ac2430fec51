"""Recalibrates a site where its feed is wrong, in place of mending the feed."""

import base_solution as base


class Monitor(base.Monitor):
    def accepted(self, report):
        return super().accepted(report) if report["kind"] == "retrain" else not report["refused"]

    def month(self, batch):
        actions = super().month(batch)
        for action in actions:
            if action["type"] == "data_fix" and action["method"] != "clear":
                action |= {"type": "recalibrate", "train_months": 3}
        return [action for action in actions if action.get("method") != "clear" or action["type"] != "data_fix"]
