# -*- coding: utf-8 -*-
"""The zipapp's __main__: runs kubectl netpol from its unpacked cache, which the first run makes.

Any Python must be able to parse this file, if only to print the error below. It is compiled at every start, so
everything that only a first run needs is in zipapp_unpack.py.
"""

import os
import sys

try:
    import _signal as signals  # without the enumerations of signal, which cost a millisecond
except ImportError:
    import signal as signals


def leave(number, _):
    os._exit(128 + number)


# Until the program has handlers of its own, an interrupt ends it without a word.
for number in (signals.SIGINT, signals.SIGTERM):
    if signals.getsignal(number) != signals.SIG_IGN:
        signals.signal(number, leave)

import time


def fail(message, status):
    try:
        sys.stderr.write("error: %s\n" % message)
        sys.stderr.flush()
    except Exception:  # it is closed, or full
        pass
    os._exit(status)


if sys.version_info < (3, 10):
    which = (sys.executable or "python",) + tuple(sys.version_info[:2])
    fail("kubectl netpol needs Python 3.10 or newer, but %s is Python %d.%d" % which, 2)

# Preliminary versions of a Python have its tag, but may have other code.
NAME = "@BUILD_ID@-%s-%x" % (sys.implementation.cache_tag or "python", sys.hexversion)
OURS = "@MODULES@".split()
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
    """Marks the cache as in use until this process ends. False if it does not exist, is being deleted, or is damaged."""
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
    return is_whole(cache)


def is_whole(cache):
    """Whether each file is there with its size: a cleaner of temporary files, or a loss of power, may have had some."""
    try:
        with open(os.path.join(cache, "manifest")) as manifest:
            lines = manifest.read().splitlines()
        stat, start = os.stat, cache + os.sep
        for line in lines[:-1]:
            size, name = line.split(" ", 1)
            status = stat(start + name)
            if status.st_size != int(size) or status.st_uid != UID:
                return False
        return lines[-1] == "end" and len(lines) > 1
    except (OSError, ValueError, IndexError):
        return False


def site_packages(archive):
    """Where the code is: in a cache, in a new one, or, if none can be written, in the zipapp itself."""
    for root, name in caches():
        cache = os.path.join(root, name)
        if is_private(root) and hold(cache):
            return cache
    import zipapp_unpack

    for root, name in caches():
        cache = os.path.join(root, name)
        if zipapp_unpack.unpack(archive, root, name, is_private, is_whole) and hold(cache):
            return cache
    return os.path.join(archive, "site-packages")


def put_first(site):
    """Imports come from here, and never from PYTHONPATH, nor from what Python has imported of it before this file."""
    typed = os.environ.get("PYTHONPATH")
    strange = [os.path.abspath(entry) for entry in typed.split(os.pathsep)] if typed else []
    library = os.path.dirname(os.__file__)
    sys.path[:] = [site] + [e for e in sys.path[1:] if e.startswith(library) or os.path.abspath(e) not in strange]
    for name in list(sys.modules):
        if name.split(".")[0] in OURS:
            del sys.modules[name]


def import_code(cache, archive):
    """Imports come from one file: measured, looking for each module takes a fifth of the time of its import.

    What is not the code that was written there, as after a loss of power, comes from the archive, and the next start
    makes the cache anew.
    """
    from _frozen_importlib import ModuleSpec
    from _frozen_importlib_external import SourceFileLoader
    from marshal import loads
    from zlib import adler32

    compiled = os.path.join(cache, "code")
    try:
        with open(compiled + "-places", "rb") as file:
            modules = dict(loads(file.read()))
    except (EOFError, TypeError, ValueError):
        os.unlink(os.path.join(cache, "manifest"))
        raise
    code = os.open(compiled, os.O_RDONLY)

    class Loader(SourceFileLoader):
        def get_code(self, name):
            _, begin, length, checksum = modules[name]
            content = os.pread(code, length, begin)
            if adler32(content) == checksum:
                return loads(content)
            from zipimport import zipimporter

            if os.path.exists(os.path.join(cache, "manifest")):
                os.unlink(os.path.join(cache, "manifest"))
            source = os.path.join("site-packages", os.path.relpath(self.path, cache))
            return compile(zipimporter(archive).get_data(source), self.path, "exec", dont_inherit=True)

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name not in modules:
                return None
            source = os.path.join(cache, *name.split("."))
            package = modules[name][0]
            origin = os.path.join(source, "__init__.py") if package else source + ".py"
            spec = ModuleSpec(name, Loader(name, origin), origin=origin, is_package=package)
            spec.has_location, spec.cached = True, compiled
            if package:
                spec.submodule_search_locations = [source]
            return spec

    sys.meta_path.insert(0, Finder)


try:
    # For the standard library too, of which the first run needs much.
    archive = os.path.dirname(os.path.abspath(__file__))
    put_first(archive)
    site = site_packages(archive)
    put_first(site)
    if os.path.isdir(site) and hasattr(os, "pread"):
        import_code(site, archive)
    from kubectl_netpol.__main__ import main
except Exception as error:  # no memory or file handles left, or the zipapp is gone
    fail("kubectl netpol can't start: " + " ".join(filter(None, (type(error).__name__, str(error)))), 3)

main()
