"""A large file on its way to Box: part by part, each checked, and sent again where that failed."""

import base64
import contextvars
import hashlib
import mmap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from box_auth import BoxUnavailable
from box_auth.flask import box

LARGE = 20_000_000  # bytes from which Box takes a file in parts
TRIES = 5  # for each call, with growing pauses between them
PAUSE = 1.0  # seconds, the first of them
# What Box answers instead of a result, and how often to look then whether it did the work anyway: a gateway may have
# answered in its place.
ANSWERED = {"box_busy": 0, "box_down": 1}
# A part is 8 MB and has to be in memory, as its digest goes ahead of it. Every upload may have one, and so many more
# are there for all uploads of a process: they are sent while the next part comes in.
SPARE = threading.BoundedSemaphore(2)


def upload_in_parts(target, file):
    """Send a file to Box, and return what Box made of it. Nothing is left at Box if that fails."""
    uploads = box.client.chunked_uploads
    session = patiently(lambda: _begin(uploads, target, file.size))
    if not session.id or not session.part_size:
        raise BoxUnavailable("box_bad_answer")
    try:
        parts = _send_parts(uploads, session, file)
        return _commit(partial(_commit_once, uploads, session, target, parts, file.sha1))
    except BaseException:
        _abort(uploads, session)
        raise


def patiently(call, *, repeatable=True):
    """Make a call again, after a pause, where Box was too busy, broken or away; if it is not ``repeatable``, only where
    Box answered, and so did nothing."""
    for attempt in range(TRIES - 1):
        try:
            return call()
        except BoxUnavailable as error:
            if not repeatable and error.code not in ANSWERED:
                raise
            time.sleep(min(error.retry_after or PAUSE * 2**attempt, 60))
    return call()


def file_in(answer):
    """Return the file that Box says it made. Raises `BoxUnavailable` if it names none, which is an answer lost."""
    if not answer.entries:
        raise BoxUnavailable("box_bad_answer")
    return answer.entries[0]


def made_after_all(error, target, sha1):
    """Return the file with this hash if Box has it, whose answer was lost; else raise the ``error``. Who is told that
    an upload failed tries again, and would have it twice."""
    for attempt in range(ANSWERED.get(error.code, TRIES)):
        if attempt:  # Box may still be at work
            time.sleep(PAUSE * 2 ** (attempt - 1))
        file = target.made(sha1.hexdigest())
        if file:
            return file
    raise error


def _begin(uploads, target, size):
    if target.file_id:
        return uploads.create_file_upload_session_for_existing_file(target.file_id, size)
    return uploads.create_file_upload_session(target.folder_id, size, target.name)


def _send_parts(uploads, session, file):
    """Send the file, two parts at once where there is room. Return Box's parts in order."""
    sent = []
    with ThreadPoolExecutor(1, "upload") as second:
        for start in range(0, file.size, session.part_size):
            part = Part(file, start, min(session.part_size, file.size - start))
            idle = all(each.done() and each.result() for each in sent)  # ends all if one has failed
            if idle and SPARE.acquire(blocking=False):
                sent.append(second.submit(contextvars.copy_context().run, part.send_and_free, uploads, session.id))
            else:
                sent.append(Future())
                sent[-1].set_result(part.send(uploads, session.id))
        file.read(1)  # there is no more; the form's end shows whether that is so
        return [each.result() for each in sent]


class Memory(mmap.mmap):
    """A stream in memory that the system has back as soon as it is closed; Python would keep it for later."""

    def seekable(self):
        return True


class Part:
    """A piece of the file, read whole: ``size`` bytes from ``start`` on."""

    def __init__(self, file, start, size):
        self._bytes, own, left = Memory(-1, size), hashlib.sha1(), size  # noqa: S324 - Box wants it
        while left:
            piece = file.read(left)
            own.update(piece)
            left -= self._bytes.write(piece)
        self._digest = _digest(own)
        self._range = f"bytes {start}-{start + size - 1}/{file.size}"

    def send(self, uploads, session_id):
        def once():
            self._bytes.seek(0)
            sent = uploads.upload_file_part(session_id, self._bytes, self._digest, self._range)
            if not sent.part:
                raise BoxUnavailable("box_bad_answer")
            return sent.part

        try:
            return patiently(once)
        finally:
            self._bytes.close()

    def send_and_free(self, uploads, session_id):
        try:
            return self.send(uploads, session_id)
        finally:
            SPARE.release()


def _commit(commit):
    """Have Box make the file. It may still be at work on the parts (202)."""
    for attempt in range(TRIES):
        made = patiently(commit, repeatable=False)
        if made:
            return made
        time.sleep(PAUSE * 2**attempt)
    raise BoxUnavailable("box_slow")


def _commit_once(uploads, session, target, parts, sha1):
    """Return the file, or None while Box is at work."""
    try:
        made = uploads.create_file_upload_session_commit(session.id, parts, _digest(sha1))
        return file_in(made) if made else None
    except BoxUnavailable as error:
        return made_after_all(error, target, sha1)


def _abort(uploads, session):
    try:
        uploads.delete_file_upload_session_by_id(session.id)
    except Exception:
        pass


def _digest(sha1):
    return f"sha={base64.b64encode(sha1.digest()).decode()}"
