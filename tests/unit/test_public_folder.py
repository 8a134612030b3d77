"""The folder of public files, where several processes write it."""

import shutil
from pathlib import Path

import pytest

from projections.tree import folder
from projections.tree.folder import PublicFolder


def test_partial_files_whose_folder_is_removed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a process that has come further, and has the full file."""
    made, removed = folder._made, list[Path]()

    def made_and_removed(path: Path) -> list[Path]:
        found = made(path)
        if path.name.endswith(".p") and not removed:
            removed.append(path)
            shutil.rmtree(path)
        return found

    public = PublicFolder(tmp_path / "public")
    public.prepare()
    monkeypatch.setattr(folder, "_made", made_and_removed)
    public.write([("tile/0/000.p/3", b"hashes"), ("tile/0/000", b"all of them")])
    assert removed
    assert public.read("tile/0/000.p/3") == b"hashes"
    assert public.read("tile/0/000") == b"all of them"


def test_a_file_that_is_gone_itself_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = PublicFolder(tmp_path / "public")
    public.prepare()
    monkeypatch.setattr(folder, "_made", lambda _: shutil.rmtree(public.path) or [])
    with pytest.raises(FileNotFoundError):
        public.write([("tile/0/000", b"all of them")])
