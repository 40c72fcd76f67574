"""How fast order flow comes to the fills of a running installation, from its own API.

    python -m benchmarks.flow_coverage http://127.0.0.1:8000 TOKEN --minutes 15

Prints a line every few seconds: fills, the share with total flow, the share with bands, what waits.
"""

import argparse
import json
import time
from typing import Any
from urllib.request import Request, urlopen

EVERY_SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("token")
    parser.add_argument("--minutes", type=float, default=15)
    wanted = parser.parse_args()
    begun = time.monotonic()
    while time.monotonic() - begun < wanted.minutes * 60:
        answer = ask(wanted.address, wanted.token)
        print(line(time.monotonic() - begun, answer), flush=True)
        if answer["rows"] and not any(row["waiting"] for row in answer["rows"]):
            break
        time.sleep(EVERY_SECONDS)


def ask(address: str, token: str) -> Any:
    request = Request(  # noqa: S310  (the operator's own address)
        f"{address}/api/flow/coverage", headers={"Authorization": f"Token {token}"}
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def line(seconds: float, answer: Any) -> str:
    sums = {
        name: sum(row[name] for row in answer["rows"])
        for name in ("fills", "total", "bands", "waiting")
    }
    fills = sums["fills"] or 1
    return (
        f"{seconds:6.0f} s  {sums['fills']:6} fills  total {sums['total'] / fills:6.1%}  "
        f"bands {sums['bands'] / fills:6.1%}  waiting {sums['waiting']:6}  eta {answer['eta_s']} s"
    )


if __name__ == "__main__":
    main()
