# -*- coding: utf-8 -*-
"""The zipapp's __main__: runs kubectl netpol from its unpacked cache, which the first run makes.

Any Python must be able to parse this file, if only to print the error below. It is compiled at every start, so
everything that only a first run needs is in zipapp_unpack.py.
"""

import os
import sys
import time

if sys.version_info < (3, 10):
    sys.stderr.write(
        "error: kubectl netpol needs Python 3.10 or newer, but %s is Python %d.%d\n"
        % ((sys.executable or "python",) + tuple(sys.version_info[:2]))
    )
    sys.exit(2)

NAME = "@BUILD_ID@-" + (sys.implementation.cache_tag or "python")
UID = os.getuid() if hasattr(os, "getuid") else 0


def caches():
    """(folder of caches, name of our cache in it), in order of preference."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(home):
        yield os.path.join(home, "kubectl-netpol"), NAME
    # Temporary files that were not read for ten days may be deleted one by one: use no cache for that long.
    temporary = os.path.join(os.environ.get("TMPDIR") or "/tmp", "kubectl-netpol-%d" % UID)
    yield temporary, "%s-%d" % (NAME, time.time() // (5 * 86400))


def is_private(root):
    """Whether root is a folder, not a link, that only this user can change: code is run from it."""
    try:
        status = os.lstat(root)
    except OSError:
        return False
    return status.st_mode & 0o170000 == 0o040000 and status.st_uid == UID and not status.st_mode & 0o022


def hold(cache):
    """Marks the cache as in use until this process ends. False if it does not exist or is being deleted."""
    try:
        descriptor = os.open(cache, os.O_RDONLY)
    except OSError:
        return False
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        pass  # no locks on this file system: then nothing is deleted there either
    try:
        os.utime(cache)
    except OSError:
        pass
    return os.path.isdir(cache)


def site_packages():
    """Where the code is: in a cache, in a new one, or, if none can be written, in the zipapp itself."""
    for root, name in caches():
        cache = os.path.join(root, name)
        if is_private(root) and hold(cache):
            return cache
    archive = os.path.dirname(os.path.abspath(__file__))
    import zipapp_unpack

    for root, name in caches():
        if zipapp_unpack.unpack(archive, root, name, is_private):
            hold(os.path.join(root, name))
            return os.path.join(root, name)
    return os.path.join(archive, "site-packages")


sys.path[0] = site_packages()

from kubectl_netpol.__main__ import main

sys.exit(main())
