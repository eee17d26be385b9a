import gc
import os

from samspil import spool
from samspil.spool import Spool


def test_what_is_written_is_read_as_often_as_wanted():
    kept = Spool()
    pieces = [os.urandom(size) for size in (0, 1, spool.KEPT, 5, spool.CHUNK * 2 + 3)]
    for piece in pieces:
        kept.write(piece)
    for _ in range(2):
        assert b"".join(pieces) == b"".join(kept.chunks())
    assert sum(map(len, pieces)) == kept.size


def test_few_bytes_make_no_file():
    kept = Spool()
    kept.write(b"x" * spool.KEPT)
    assert kept._file is None


def test_what_is_on_disk_cannot_be_read_and_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    kept = Spool()
    kept.write(b"0101501234" * spool.KEPT)
    kept._file.flush()
    assert [] == list(tmp_path.iterdir())
    assert b"0101501234" not in os.pread(kept._file.fileno(), 10_000, 0)


def test_its_file_is_closed_with_it():
    kept = Spool()
    kept.write(b"x" * (spool.KEPT + 1))
    file = kept._file
    del kept
    gc.collect()
    assert file.closed
