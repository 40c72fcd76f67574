"""`python -m launcher run` and `python -m launcher exec -- COMMAND`; see `make help`."""

import argparse
import sys

from launcher.run import run
from launcher.with_servers import with_servers


def main() -> int:
    parser = argparse.ArgumentParser(prog="launcher", description=__doc__)
    commands = parser.add_subparsers(required=True)
    whole = commands.add_parser("run", help="run the whole system on this machine")
    whole.set_defaults(do=run)
    one = commands.add_parser("exec", help="run a command against throw-away servers")
    one.add_argument("--data", action="store_true", help="the servers of DATA_DIR instead")
    one.add_argument(
        "--hasty", action="store_true", help="do not wait for the disk: for tests, never for data"
    )
    one.add_argument("command", nargs="+")
    one.set_defaults(do=with_servers)
    arguments = parser.parse_args()
    code: int = arguments.do(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
