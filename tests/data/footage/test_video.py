"""Files that are no good videos are refused, or warned of, by name and with a way out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidlib.data.footage import follow, open_video, write_video
from reidlib.data.footage.video import DEFAULT_FPS, SAMPLES


def test_what_is_written_is_read(tmp_path, ground):
    frames = ground(48, 64, 12).copy()
    frames[:, 0] += np.arange(12, dtype=np.uint8)[:, None, None] * 10
    video = open_video(write_video(tmp_path / "ramp.avi", frames, 12.5))
    assert (video.width, video.height, video.fps, video.count) == (64, 48, 12.5, 12)
    read = np.stack(list(video.frames()))
    assert read.shape == (12, 48, 64, 3)
    red = read[..., 2].mean((1, 2))
    assert np.abs(red - frames[:, 0].mean((1, 2))).max() < 3  # red is last, and in the right frame


def test_samples_are_few_and_spread(tmp_path, ground):
    frames = ground(16, 16, 300).copy()
    frames[:] = (np.arange(300) // 2)[:, None, None, None]
    video = open_video(write_video(tmp_path / "long.avi", frames, 10))
    levels = [int(sample.mean()) * 2 for sample in video.samples()]
    assert len(levels) == SAMPLES and levels[0] < 10 and levels[-1] > 285


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("absent.avi", None, FileNotFoundError, "there is no such file; give the path of a video"),
        ("empty.avi", b"", ValueError, r"empty \(0 bytes\); copy or record it again"),
        ("text.avi", b"These are words, not pictures.\n" * 50, ValueError, "cannot be decoded.*ffmpeg -i"),
        ("text.mp4", b"These are words, not pictures.\n" * 50, ValueError, "cannot be decoded.*ffmpeg -i"),
        ("noise.mkv", bytes(range(256)) * 40, ValueError, "cannot be decoded.*ffmpeg -i"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, name, content, error, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=f"{name}.*{message}"):
        open_video(tmp_path / name)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder; give the path of a video file in it"):
        open_video(tmp_path)


def test_a_picture_is_refused(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "one.png")
    with pytest.raises(ValueError, match=r"one.png holds a single picture"):
        open_video(tmp_path / "one.png")


def test_a_head_without_pictures_is_refused(tmp_path, block):
    (tmp_path / "head.avi").write_bytes(block[0].read_bytes()[:4000])
    with pytest.raises(ValueError, match="head.avi cannot be decoded"):
        open_video(tmp_path / "head.avi")


def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path, block):
    content = block[0].read_bytes()
    (tmp_path / "half.avi").write_bytes(content[: len(content) // 2])
    video = open_video(tmp_path / "half.avi")
    with pytest.warns(UserWarning, match=r"half.avi breaks off after \d+ of 80 frames.*ffmpeg"):
        assert 20 < len(list(video.frames())) < 60


def test_garbage_in_the_middle_ends_it_with_a_warning(tmp_path, block):
    content = bytearray(block[0].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    (tmp_path / "hole.avi").write_bytes(content)
    with pytest.warns(UserWarning, match=r"hole.avi breaks off after \d+ of 80 frames; what was read is used"):
        assert len(list(open_video(tmp_path / "hole.avi").frames())) > 20


def test_without_a_frame_rate_one_is_taken_with_a_warning(tmp_path, block):
    content = bytearray(block[0].read_bytes())
    stream = content.index(b"vids") + 20  # scale and rate of the stream header: the rate is rate / scale
    content[stream : stream + 8] = (1).to_bytes(4, "little") + (10**9).to_bytes(4, "little")
    content[32:36] = bytes(4)  # microseconds a frame, in the main header
    (tmp_path / "rate.avi").write_bytes(content)
    with pytest.warns(UserWarning, match=r"rate.avi says .* frames a second; 25 is taken.*ffmpeg -r"):
        assert open_video(tmp_path / "rate.avi").fps == DEFAULT_FPS


def test_an_impossible_place_to_write_is_refused(tmp_path, ground):
    with pytest.raises(OSError, match="absent.*a folder that exists"):
        write_video(tmp_path / "absent" / "x.avi", ground(16, 16, 2), 10)


def test_memory_does_not_grow_with_the_length(tmp_path, ground):
    """Ten times the frames: the pictures alone would be 60 MiB more."""
    code = (
        "import sys; from reidlib.data.footage import follow; list(follow(sys.argv[1], progress=False));"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc, which this system has not")
    peaks = []
    for count in (120, 1200):
        path = write_video(tmp_path / f"{count}.avi", ground(120, 160, count), 25)
        output = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(output.stdout))
    assert peaks[1] - peaks[0] < 15_000  # KiB


def test_nobody_is_no_tracklet(tmp_path, ground):
    assert list(follow(write_video(tmp_path / "still.avi", ground(96, 128, 40), 10), progress=False)) == []
