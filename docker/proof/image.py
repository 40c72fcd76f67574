"""An image: its layers, and how something is started in it."""

from dataclasses import dataclass, field
from pathlib import Path

from docker.proof.dockerfile import Healthcheck

# setpriv's: no capability, and none to be had
CONFINED = ("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs")


@dataclass
class Image:
    """`layers`: the top one first. `key`: of all that they depend on."""

    layers: list[Path]
    key: str
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0"
    ports: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: Healthcheck | None = None

    def start(self, root: Path, command: list[str], *, is_confined: bool = False) -> list[str]:
        """The words that run a command in the image at `root`, in its folder, as its user."""
        account = account_of(root, self.user)
        words = ["chroot", str(root), "setpriv", f"--reuid={account.uid}", f"--regid={account.gid}"]
        words += ["--clear-groups", *(CONFINED if is_confined else ())]
        return [*words, "env", f"--chdir={self.workdir}", *command]

    def variables(self, root: Path) -> dict[str, str]:
        return {"HOME": account_of(root, self.user).home, **self.environment}


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int
    home: str


def account_of(root: Path, user: str) -> Account:
    """Of the image's passwd, by name or number; a number without a line has group 0."""
    for line in (root / "etc" / "passwd").read_text().splitlines():
        name, _, uid, gid, _, home, _ = line.split(":")
        if user in {name, uid}:
            return Account(int(uid), int(gid), home)
    if not user.isdigit():
        raise KeyError(f"USER: expected a user of the image or a number, was {user!r}")
    return Account(int(user), 0, "/")
