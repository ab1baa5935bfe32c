"""A socket with one deadline for all that is sent and received."""

from __future__ import annotations

import io
import time
from typing import Any


class Timed:
    """To http.client this is the socket. Every read and write ends at `until` (of time.monotonic), with TimeoutError.

    A timeout of the socket itself bounds each single read, so a byte now and then would go on for ever.
    """

    def __init__(self, sock: Any, until: float) -> None:
        self.until = until
        self.socket = sock

    def arm(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)

    def sendall(self, data: bytes) -> None:
        self.arm()
        self.socket.sendall(data)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self, self.socket.makefile("rb", buffering=0)))

    def settimeout(self, _: float | None) -> None:
        """Do nothing: `until` decides."""

    def fileno(self) -> int:
        return int(self.socket.fileno())

    def close(self) -> None:
        self.socket.close()


class _Reads(io.RawIOBase):
    def __init__(self, timed: Timed, raw: Any) -> None:
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._timed.arm()
        return self._raw.readinto(buffer) or 0

    def close(self) -> None:
        self._raw.close()
        super().close()
