"""Video that plays elsewhere, or none at all."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from inspect import unwrap
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.render import video
from fieldlens.render.video import NoRoomError, VideoWriter, check_encoder, read_frames

ROOT = Path(__file__).parent.parent.parent
BARS = np.array([(220, 40, 40), (40, 200, 60), (40, 60, 210), (230, 230, 230)], np.uint8)


def bars(height: int, width: int) -> np.ndarray:
    """Four vertical bars: red, green, blue and nearly white."""
    return np.broadcast_to(BARS[np.arange(width) * 4 // width], (height, width, 3)).copy()


def write(path: Path, frames: Iterable[np.ndarray], hold: float = 0.0) -> list[np.ndarray]:
    with VideoWriter(path, fps=12.0, hold_last_seconds=hold) as writer:
        for frame in frames:
            writer.write(frame)
    return list(read_frames(path))


def test_frames_come_back_in_order_and_the_last_is_held(tmp_path):
    greys = [20, 120, 220]
    frames = write(tmp_path / "a.mp4", [np.full((32, 48, 3), grey, np.uint8) for grey in greys], hold=2.0)
    assert [frame.mean() for frame in frames] == pytest.approx(greys + 24 * greys[-1:], abs=2)


def test_the_file_is_h264_in_yuv420p_at_12_frames_a_second_with_its_index_first(tmp_path):
    path = tmp_path / "a.mp4"
    write(path, [bars(32, 48)])
    about = iio.immeta(path, plugin="FFMPEG")
    assert (about["codec"], about["fps"]) == ("h264", 12)
    assert about["pix_fmt"].startswith("yuv420p")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(("height", "width"), [(33, 48), (32, 49), (33, 49), (1, 1), (364, 1089)])
def test_odd_sizes_are_padded_at_the_end_and_nothing_is_resized(tmp_path, height, width):
    frame = bars(height, width)
    (shown,) = write(tmp_path / "a.mp4", [frame])
    assert shown.shape == (height + height % 2, width + width % 2, 3)
    # Colour is stored at half the resolution, so a bar's edge bleeds by a pixel or two: compare the typical pixel.
    assert np.median(np.abs(shown[:height, :width].astype(int) - frame)) <= 3
    assert np.abs(shown[-1].astype(int) - shown[height - 1]).mean() <= 4


@pytest.mark.parametrize(("height", "width"), [(64, 64), (720, 1280)])
def test_colours_are_kept_at_small_and_at_large_sizes(tmp_path, height, width):
    (shown,) = write(tmp_path / "a.mp4", [bars(height, width)])
    middles = shown[height // 2, (np.arange(4) * 2 + 1) * width // 8].astype(int)
    assert np.abs(middles - BARS).max() <= 6


def test_an_exception_leaves_nothing_behind(tmp_path):
    def interrupted() -> Iterator[np.ndarray]:
        yield bars(32, 48)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.mp4", interrupted())
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_an_older_video_as_it_was(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"older")
    with pytest.raises(ValueError, match="after frames of shape"):
        write(tmp_path / "a.mp4", [bars(32, 48), bars(32, 50)])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]


def test_the_video_has_its_name_only_once_it_is_whole(tmp_path):
    path = tmp_path / "a.mp4"
    with VideoWriter(path) as writer:
        writer.write(bars(32, 48))
        assert not path.exists()
    assert [item.name for item in tmp_path.iterdir()] == ["a.mp4"]


def test_no_frame_makes_no_video(tmp_path):
    with VideoWriter(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_is_not_rgb_bytes_is_refused(tmp_path):
    # Past the checker of annotations, which only tests run under.
    with pytest.raises(ValueError, match="uint8"):
        unwrap(VideoWriter.write)(VideoWriter(tmp_path / "a.mp4"), np.zeros((4, 4, 3), np.float32))


def test_a_folder_that_is_not_there_is_told_in_the_words_of_ffmpeg(tmp_path):
    with pytest.raises(InputError, match="No such file or directory"):
        write(tmp_path / "no" / "a.mp4", [bars(32, 48)])


def test_the_encoder_runs_in_a_session_of_its_own_where_no_ctrl_c_reaches_it(tmp_path, monkeypatch):
    started: list[subprocess.Popen] = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(video.subprocess, "Popen", Recorded)
    with VideoWriter(tmp_path / "a.mp4") as writer:
        writer.write(bars(32, 48))
        (encoder,) = started
        assert os.getsid(encoder.pid) == encoder.pid != os.getsid(0)


def test_the_encoder_here_works():
    check_encoder()


@pytest.mark.parametrize("program", ["echo no such codec >&2; exit 1", "exit 0"])
def test_an_encoder_that_fails_is_told_before_training_with_a_way_out(tmp_path, monkeypatch, program):
    broken = tmp_path / "ffmpeg"
    broken.write_text(f"#!/bin/sh\n{program}\n")
    broken.chmod(0o755)
    monkeypatch.setattr(video.imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(broken))
    with pytest.raises(InputError, match=r"pip install 'imageio\[ffmpeg\]'"):
        check_encoder()


def test_no_ffmpeg_at_all_is_told_before_training(monkeypatch):
    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(video.imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(InputError, match="no ffmpeg was found"):
        check_encoder()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named_as_the_reason(tmp_path, monkeypatch):
    full = tmp_path / "partial"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(video, "unfinished", lambda _path: full)
    with pytest.raises(NoRoomError, match=r"cannot be written: No space left on device$"):
        write(tmp_path / "full.mp4", [bars(32, 48)])


def encoder_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = folder / "ffmpeg"
    stand_in.write_text(f"#!/bin/sh\n{does}\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(video.imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(stand_in))


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("kill -XFSZ $$", "it is larger than a file may be here; `ulimit -f` tells the limit"),
        ("kill -KILL $$", "ffmpeg was killed, perhaps for want of memory"),
        ("echo '[out] Error writing trailer: Disk quota exceeded' >&2; echo 'Conversion failed!' >&2; exit 1", "quota"),
    ],
)
def test_what_the_system_refuses_is_said_and_no_other_ffmpeg_is_recommended(tmp_path, monkeypatch, does, reason):
    encoder_that(does, tmp_path, monkeypatch)
    with pytest.raises(NoRoomError, match=reason) as refused:
        check_encoder()
    assert "install" not in str(refused.value)


def test_a_limit_of_a_files_size_is_told_before_training(tmp_path):
    # in a process of its own: a limit that was lowered cannot be raised again
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "from fieldlens.render.video import check_encoder, NoRoomError\n"
        "try:\n    check_encoder()\nexcept NoRoomError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "`ulimit -f` tells the limit" in said


def test_no_folder_for_temporary_files_is_told_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(video.tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(NoRoomError, match="name a folder in TMPDIR"):
        check_encoder()


def test_an_encoder_that_does_not_answer_is_ended_and_told(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    monkeypatch.setattr(video, "ANSWERS_WITHIN", 0.1)
    for side in (16, 512):  # what a pipe holds, and more
        with pytest.raises(InputError, match=r"ffmpeg did not answer for 0\.1 s"):
            write(tmp_path / "a.mp4", [np.zeros((side, side, 3), np.uint8)])
    assert [file.name for file in tmp_path.iterdir()] == ["ffmpeg"]
