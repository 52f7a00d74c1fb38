"""Arrays that are computed once for every frame."""

from functools import partial

import numpy as np
import pytest

from reidlib.data.packing import pack_rows

pytestmark = pytest.mark.usefixtures("cache")


def numbers(first, count, log):
    with log.open("a") as file:
        file.write(f"{first}\n")
    return np.arange(first, first + count, dtype=np.uint8)[:, None] * np.ones(2, np.uint8)


def pack(log, workers=1, key="key"):
    readers = [partial(numbers, first, count, log) for first, count in ((10, 3), (20, 1), (30, 2))]
    return pack_rows("things", key, readers, [3, 1, 2], (2,), "counting", workers, progress=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_reader_is_called_once_and_gives_its_rows(tmp_path, workers):
    log = tmp_path / "log"
    for _ in range(2):
        rows = pack(log, workers)
        assert [one[np.arange(len(one))][:, 1].tolist() for one in rows] == [[10, 11, 12], [20], [30, 31]]
    assert sorted(log.read_text().split()) == ["10", "20", "30"]
    pack(log, workers, "another key")
    assert len(log.read_text().split()) == 6


def test_numbers_are_kept_in_the_type_that_is_asked_for():
    [rows] = pack_rows("things", "key", [partial(np.full, (2, 1), -0.5)], [2], (1,), "", 1, False, np.float32)
    assert rows[[0, 1]].tolist() == [[-0.5], [-0.5]] and rows[[0]].dtype == np.float32


def test_a_reader_that_fails_leaves_no_array(cache):
    def broken():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        pack_rows("things", "key", [broken], [1], (2,), "counting", 1, progress=False)
    assert not list(cache.glob("things/*.npy"))
