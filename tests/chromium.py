"""The Chromium that tests look at pages with: the one without a window where there is one. It draws
the same and asks a sixth of the processor for a page, since it has no tab strip, toolbar and menus
that are pages too."""

import os
import shutil
import subprocess

# by preference; Debian's packages have the names of their commands
NAMES = ("chromium-headless-shell", "chromium")


def path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def install() -> str | None:
    """As root on Debian the best one is installed where it is missing; `path()`. Where there is
    another already nobody waits for long."""
    apt = shutil.which("apt-get")
    if shutil.which(NAMES[0]) or apt is None or os.getuid() != 0:
        return path()
    known = path()
    if not _done([apt, "update", "-qq"], 300 if known is None else 60) and known:
        return known
    for name in NAMES:
        install = [apt, "install", "-y", "-qq", "--no-install-recommends", name]
        # what is only fetched can be broken off
        if shutil.which(name) or (
            _done([*install, "--download-only"], 600 if known is None else 120)
            and _done(install, 600)
        ):
            break
    return path()


def _done(command: list[str], seconds: float) -> bool:
    try:
        code = subprocess.run(
            command, check=False, timeout=seconds, stdout=subprocess.DEVNULL
        ).returncode
    except subprocess.TimeoutExpired:
        return False
    return code == 0
