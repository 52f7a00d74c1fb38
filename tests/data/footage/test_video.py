"""Files that are no good videos are refused, or warned of, by name and with a way out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidlib.data.footage import follow, open_video, video, write_video
from reidlib.data.footage.video import DEFAULT_FPS, SAMPLE_SECONDS, SAMPLES


def test_what_is_written_is_read(tmp_path, ground):
    frames = ground(48, 64, 12).copy()
    frames[:, 0] += np.arange(12, dtype=np.uint8)[:, None, None] * 10
    opened = open_video(write_video(tmp_path / "ramp.avi", frames, 12.5))
    assert (opened.width, opened.height, opened.fps, opened.count) == (64, 48, 12.5, 12)
    assert [seconds for seconds, _ in opened.timed()] == pytest.approx(np.arange(12) / 12.5)
    read = np.stack(list(opened.frames()))
    assert read.shape == (12, 48, 64, 3)
    red = read[..., 2].mean((1, 2))
    assert np.abs(red - frames[:, 0].mean((1, 2))).max() < 3  # red is last, and in the right frame


def test_samples_are_few_and_spread(tmp_path, ground):
    frames = ground(16, 16, 300).copy()
    frames[:] = (np.arange(300) // 2)[:, None, None, None]
    opened = open_video(write_video(tmp_path / "long.avi", frames, 10))
    levels = [int(sample.mean()) * 2 for sample in opened.samples()]
    assert SAMPLES / 2 <= len(levels) <= SAMPLES and levels[0] < 10 and levels[-1] > 285
    assert np.ptp(np.diff(levels)) <= 4  # two of rounding at either end


@pytest.mark.parametrize("count", [2, SAMPLES, SAMPLES + 1, 2 * SAMPLES, 5 * SAMPLES + 3])
@pytest.mark.parametrize("most", [SAMPLES, 5])
def test_samples_are_every_so_manieth_picture(monkeypatch, count, most):
    monkeypatch.setattr(video, "SAMPLES", most)
    monkeypatch.setattr(video, "_decode", lambda *_: ((0.04 * n, np.full((1, 1), n)) for n in range(count)))
    numbers = [int(sample[0, 0]) for sample in video.Video(Path("x"), 1, 1, 25, 0, 0, 0, True).samples()]
    step = np.unique(np.diff(numbers))
    assert numbers[0] == 0 and len(step) == 1 and len(numbers) <= most
    assert step == 1 or len(numbers) >= most / 2
    assert numbers[-1] + step > count - 1


@pytest.mark.parametrize("stamped", [True, False])
def test_samples_end_with_their_time(monkeypatch, stamped):
    pictures = [(10.0 * n if stamped else 0.0, np.full((1, 1), n)) for n in range(40)]
    monkeypatch.setattr(video, "_decode", lambda *_: iter(pictures))
    samples = video.Video(Path("x"), 1, 1, 0.1, 0, 0, 0, stamped).samples()
    assert len(samples) == SAMPLE_SECONDS / 10


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
    opened = open_video(tmp_path / "half.avi")
    with pytest.warns(UserWarning, match=r"half.avi breaks off after \d+ of 80 frames.*ffmpeg"):
        assert 20 < len(list(opened.frames())) < 60


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


EVEN = 40 * np.arange(80)  # milliseconds of the block's frames at 25 a second
VARIABLE = np.concatenate([EVEN[:40], EVEN[40] + 200 * np.arange(40)])  # then 5 a second: the block slows down


def claiming(path: Path, count: int) -> Path:
    """The .avi file with another number of frames in its heads."""
    content = bytearray(path.read_bytes())
    for place in (48, content.index(b"vids") + 32):  # of the main header, and of the stream's
        content[place : place + 4] = count.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def without_length(path: Path) -> Path:
    """The .mkv file without its duration, as a camera that streams leaves it."""
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88")  # Duration, eight bytes long
    content[place : place + 11] = b"\xec\x89" + bytes(9)  # Void
    path.write_bytes(content)
    return path


@pytest.mark.filterwarnings("ignore:.*(no time stamps|breaks off)")
@pytest.mark.parametrize(
    "kind", ["many.avi", "none.avi", "block.mkv", "live.mkv", "block.mp4", "block.nut", "raw.mjpeg"]
)
def test_tracklets_do_not_depend_on_the_container(tmp_path, boxed, block_frames, kind):
    """A count that is ten times too large, or missing, an estimated one, and a stream without a container."""
    frames = np.concatenate([block_frames] * 2)
    stamps = 40 * np.arange(160)
    reference = open_video(boxed(tmp_path / "reference.avi", frames, stamps, 25))
    path = boxed(tmp_path / kind, frames, stamps, 25)
    if kind in ("many.avi", "none.avi"):
        claiming(path, 1600 if kind == "many.avi" else 0)
    if kind == "live.mkv":
        without_length(path)
    other = open_video(path)
    assert reference.count == 160 and (other.count > 0) == (kind not in ("none.avi", "live.mkv", "raw.mjpeg"))
    assert other.fps == 25 and np.array_equal(other.samples(), reference.samples())
    ours, theirs = (list(follow(opened.path, progress=False)) for opened in (other, reference))
    assert len(ours) == len(theirs) == 2
    for one, same in zip(ours, theirs):
        assert np.array_equal(one.boxes, same.boxes) and np.array_equal(one.masks(), same.masks())
        assert one.times == pytest.approx(same.times, abs=1e-3) and one.flags == same.flags


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".nut"])
def test_times_are_those_of_the_stamps(tmp_path, boxed, block_frames, recwarn, suffix):
    path = boxed(tmp_path / f"variable{suffix}", block_frames, VARIABLE + 5000)
    opened = open_video(path)
    assert [seconds for seconds, _ in opened.timed()] == pytest.approx(VARIABLE / 1000)
    assert opened.fps == pytest.approx(79 / (VARIABLE[-1] / 1000))  # not the claimed 1000
    (one,) = follow(path, progress=False)
    assert one.times == pytest.approx(VARIABLE[one.numbers] / 1000)
    assert one.seconds == pytest.approx(
        (VARIABLE[one.numbers[0]] / 1000, VARIABLE[one.numbers[-1]] / 1000 + 1 / one.fps)
    )
    assert not [*recwarn]  # whole, though an estimated count says otherwise


def test_a_variable_rate_that_breaks_off_is_warned_of(tmp_path, boxed, block_frames):
    path = boxed(tmp_path / "variable.mkv", block_frames, VARIABLE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(UserWarning, match="variable.mkv breaks off"):
        list(open_video(path).frames())


def test_a_stream_without_stamps_goes_by_the_rate_with_a_warning(tmp_path, boxed, block_frames):
    path = boxed(tmp_path / "bare.mjpeg", block_frames, EVEN, 25)
    with pytest.warns(UserWarning, match=r"bare.mjpeg has no time stamps; .* over 25 frames a second.*ffmpeg -r RATE"):
        opened = open_video(path)
    assert not opened.stamped
    assert [seconds for seconds, _ in opened.timed()] == pytest.approx(np.arange(80) / 25)


@pytest.mark.parametrize(
    ("claimed", "stamps", "expected"),
    [
        (25, [0, 0, 0, 0], (25, False)),  # as H.264 without a container gives them
        (25, [0.04, 0.08, 0.12, 0.0], (25, True)),  # as MPEG-2 does: the last one is missing
        (30000 / 1001, [0, 0.033, 0.067, 0.1], (30000 / 1001, True)),  # rounded to milliseconds
        (1000, [0, 0.1, 0.2, 0.5], (6, True)),
        (0, [0, 0.1, 0.2], (10, True)),
        (0, [0, 0], (0, False)),
    ],
)
def test_the_rate_by_hand(claimed, stamps, expected):
    assert video._rate(claimed, stamps) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("stamps", "times", "odd"),
    [([0, 1, 2, 0], [0, 1, 2, 2.5], 1), ([0, 1, 1, 1], [0, 1, 1.5, 2], 2), ([0, 3, 1, 4], [0, 3, 3.5, 4], 1)],
)
def test_stamps_that_do_not_go_on_are_made_good_with_a_warning(monkeypatch, stamps, times, odd):
    monkeypatch.setattr(video, "_decode", lambda *_: ((stamp, None) for stamp in stamps))
    with pytest.warns(UserWarning, match=f"{odd} of 4 time stamps are not after the one before.*2 a second"):
        assert [seconds for seconds, _ in video.Video(Path("x"), 1, 1, 2, 4, 4, 0, True).timed()] == times


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
