"""
Programs for users who can't enter root's home, where the tests' packages may be: in a mount namespace of theirs that
folder is empty but for what they need, at the same paths.
"""

import os

# CLOSED HOLD PATH… -- COMMAND…
SCRIPT = """
closed=$1 hold=$2
shift 2
mount --bind "$closed" "$hold" && mount -t tmpfs -o mode=755 tmpfs "$closed" || exit
while [ "$1" != -- ]; do
    (umask 022 && mkdir -p "$1") && mount --bind "$hold${1#"$closed"}" "$1" || exit
    shift
done
shift
umount "$hold" && exec "$@"
"""


def closed_parent(path):
    """The first folder on the way that only its owner can enter; None: there is none."""
    parts = os.path.realpath(path).split("/")
    for end in range(2, len(parts)):
        folder = "/".join(parts[:end])
        if not os.stat(folder).st_mode & 0o001:
            return folder
    return None


def prefix(paths, hold):
    """What stands before a command that is to find these folders; `hold` is an empty folder. Root only."""
    by_parent = {}
    for path in {os.path.realpath(path) for path in paths}:
        by_parent.setdefault(closed_parent(path), []).append(path)
    ret = ()
    for parent in sorted(filter(None, by_parent)):
        ret += ("unshare", "--mount", "sh", "-c", SCRIPT, "sh", parent, hold, *sorted(by_parent[parent]), "--")
    return ret
