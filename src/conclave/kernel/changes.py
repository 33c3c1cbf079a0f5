"""Whether the database may have been written to, without asking it.

A query wakes a thread and costs milliseconds when its code is no longer in the processor's caches;
an idle server would have nothing else to do. Must never say "no" after a commit of any process.
"""

from __future__ import annotations

from conclave.kernel.db import Database


class Changes:
    """For one job that comes round again and again; ask before its work, not after it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stamp: tuple[int, ...] | None = None
        self._is_settled = False

    def may_have_come(self) -> bool:
        """Since the time before the last, at which the work was done.

        Two rounds are worked after a change: time stamps of files are coarse, so a commit right
        after the first may have left none.
        """
        stamp, before = self._db.stamp(), self._stamp
        self._stamp = stamp
        if stamp is None or stamp != before:
            self._is_settled = False
            return True
        was_settled, self._is_settled = self._is_settled, True
        return not was_settled

    def forget(self) -> None:
        """The work was not done, or is to be done again: the next answer is yes."""
        self._stamp = None
