"""H.264 video, streamed frame by frame to the ffmpeg that `imageio[ffmpeg]` brings.

ffmpeg runs in a session of its own, so that Ctrl-C reaches the training loop and not the encoder: what there is can
still be finished into a video that plays.
"""

import contextlib
import errno
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Self

import cv2
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import unfinished
from fieldlens.configs.manifest import record

# A file that does not say so is decoded as BT.601 or BT.709 depending on its size: convert to one of them and say it,
# so that the colours of a small and of a large panel agree.
_COLOUR = [
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
]
_ENCODE = [
    *("-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"),
    *("-movflags", "+faststart", "-f", "mp4"),
]

ANSWERS_WITHIN = 300.0
"""Seconds in which ffmpeg takes a frame, or finishes a file; one that does not is ended."""

_MEMORY, _FRAMES_HELD = 8 << 30, 256
"""Bytes, and frames besides, that ffmpeg may take: it looks ahead by some frames in each of its threads."""

_REMEDY = "install one with `pip install 'imageio[ffmpeg]'` or name one in IMAGEIO_FFMPEG_EXE"

_NO_ROOM = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)]
"""What ffmpeg says, among other words, where the disk is to blame."""


class EncoderError(InputError):
    """There is no ffmpeg, or it ended before the video was whole: its frames are as they were."""


class NoRoomError(EncoderError):
    """A full disk or a limit, and not ffmpeg, is why a video cannot be written."""


class VideoWriter:
    """Writes frames to an MP4 file that exists only once it is whole.

        with VideoWriter("progress.mp4") as video:
            video.write(frame)

    Frames are (h, w, 3) bytes, all of one size. An odd height or width is made even by repeating the last row or column
    (yuv420p needs it); nothing is resized. The last frame is held for `hold_last_seconds`. Leaving the block with an
    exception, or without a frame, makes no file and leaves an older one of that name as it was.

    Raises `EncoderError` where there is no ffmpeg, and with ffmpeg's own words where it fails.
    """

    def __init__(self, path: Path | str, fps: float = 12.0, hold_last_seconds: float = 2.0) -> None:
        self.path = Path(path)
        self.fps = fps
        self.hold_last_seconds = hold_last_seconds
        self._partial = unfinished(self.path)
        self._encoder: _Encoder | None = None
        self._last: UInt8[np.ndarray, "h w 3"] | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        """Add one frame. Raises `ValueError` where its size is not the first frame's, or it is not RGB bytes."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"VideoWriter: a frame is (h, w, 3) uint8, not {frame.shape} {frame.dtype}")
        frame = _even(frame)
        if self._encoder is None or self._last is None:
            self._encoder = _Encoder(self._partial, frame.shape[0], frame.shape[1], self.fps)
        elif frame.shape != self._last.shape:
            raise ValueError(f"VideoWriter: a frame of shape {frame.shape} after frames of shape {self._last.shape}")
        self._encoder.send(frame)
        self._last = frame

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._encoder is None or self._last is None:
            return
        try:
            if kind is None:
                for _ in range(round(self.hold_last_seconds * self.fps)):
                    self._encoder.send(self._last)
                self._encoder.finish()
                self._keep()
        finally:
            self._encoder.stop()
            self._partial.unlink(missing_ok=True)

    def _keep(self) -> None:
        try:
            record(self.path, self._partial.read_bytes())
            self._partial.replace(self.path)
        except OSError as error:
            raise InputError(f"cannot write {str(self.path)!r}: {error.strerror}") from None


def check_encoder() -> None:
    """Encode two tiny frames and read them back; raises `InputError` where that fails.

    Meant for the moment before training starts: an encoder found missing at the end has cost the whole run.
    """
    try:
        folder = tempfile.TemporaryDirectory()
    except OSError as error:
        raise _no_temporary(error) from None
    with folder:
        path = Path(folder.name) / "check.mp4"
        try:
            with VideoWriter(path, hold_last_seconds=0.0) as video:
                video.write(np.full((16, 16, 3), 64, np.uint8))
                video.write(np.full((16, 16, 3), 192, np.uint8))
            count = sum(1 for _ in read_frames(path))
        except NoRoomError:
            raise
        except (InputError, OSError) as error:  # OSError: what was written cannot be read
            raise InputError(f"{error}; {_REMEDY}") from None
    if count != 2:
        raise InputError(f"the ffmpeg found here writes H.264 video that does not read back; {_REMEDY}")


def read_frames(path: Path | str) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The frames of a video, one at a time."""
    yield from iio.imiter(path, plugin="FFMPEG")


class _Encoder:
    """One running ffmpeg that takes raw frames and leaves an MP4 file."""

    def __init__(self, path: Path, height: int, width: int, fps: float) -> None:
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"]
        # `file:`, since a relative name with a colon in it would be taken for the name of a protocol
        command = [_ffmpeg(), "-y", "-v", "error", *source, *_ENCODE, *_COLOUR, f"file:{path}"]
        # Its words go to a file: a pipe that nobody reads would fill up and stop it.
        try:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        except OSError as error:
            raise _no_temporary(error) from None
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True
            )
        except OSError as error:
            self._log.close()
            raise EncoderError(f"no ffmpeg can be run to write {str(path)!r}: {error.strerror}") from None
        self._hangs = False
        limit = _MEMORY + _FRAMES_HELD * 3 * height * width
        with contextlib.suppress(OSError, ValueError):  # it has stopped already, or had a lower limit
            resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (limit, limit))

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Ends ffmpeg if what is waited for takes longer than `ANSWERS_WITHIN`."""
        timer = Timer(ANSWERS_WITHIN, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._hangs = True
        self._process.kill()

    def send(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        assert self._process.stdin is not None
        try:
            with self._watched():
                self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            raise self._failure() from None

    def finish(self) -> None:
        """Wait for the file to be whole; raises `EncoderError` where ffmpeg says that it is not."""
        assert self._process.stdin is not None
        with self._watched():
            with contextlib.suppress(BrokenPipeError):  # it has stopped: its status says why
                self._process.stdin.close()
            status = self._process.wait()
        if status != 0:
            raise self._failure()

    def stop(self) -> None:
        """End ffmpeg now, whatever it is doing; harmless after `finish`."""
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._log.close()

    def _failure(self) -> EncoderError:
        status = self._process.wait()
        if self._hangs:
            return EncoderError(f"the video cannot be written: ffmpeg did not answer for {ANSWERS_WITHIN:g} s")
        self._log.seek(0)
        return _failure(status, self._log.read().decode(errors="replace").strip())


def _failure(status: int, words: str) -> EncoderError:
    """Why ffmpeg ended, by its status and its words."""
    sentence = "the video cannot be written"
    if status == -signal.SIGXFSZ:
        return NoRoomError(f"{sentence}: it is larger than a file may be here; `ulimit -f` tells the limit")
    if status == -signal.SIGKILL:
        return NoRoomError(f"{sentence}: ffmpeg was killed, perhaps for want of memory")
    for reason in _NO_ROOM:
        if reason in words:
            return NoRoomError(f"{sentence}: {reason}")
    reason = words.splitlines()[-1] if words else "it gave no reason"
    return EncoderError(f"{sentence}: ffmpeg stopped with status {status}: {reason}")


def _no_temporary(error: OSError) -> NoRoomError:
    return NoRoomError(f"no temporary file can be made to write a video: {error.strerror}; name a folder in TMPDIR")


def _ffmpeg() -> str:
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise EncoderError("no ffmpeg was found to write video with") from error


def _even(frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "even_h even_w 3"]:
    bottom, right = frame.shape[0] % 2, frame.shape[1] % 2
    return cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
