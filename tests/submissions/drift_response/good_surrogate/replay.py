"""Shows your monitor the recorded practice streams: python replay.py DATA. What it does there changes nothing."""

import json
import sys
import tomllib
from pathlib import Path

from drift_response import Monitor


def main(folder):
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    events = json.loads((folder / "events.json").read_text(encoding="utf-8"))
    for number, path in enumerate(sorted(folder.glob("stream_*.ndjson")), 1):
        print(f"\nstream {number}")
        for event in events[number - 1]:
            where = ", ".join(event["site"] + event["feature"])
            print(f"    {event['kind']} from month {event['onset']} to {event['end'] or 'the end'} {where}")
        lines = path.read_text(encoding="utf-8").splitlines()
        monitor = Monitor(card)
        monitor.start(json.loads(lines[0]))
        for line in lines[1:]:
            batch = json.loads(line)
            for action in monitor.month(batch):
                print(f"  month {batch['month']:2d}: {action}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
