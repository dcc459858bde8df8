"""What each candidate's user uploads, for its size: `python zips.py DIRECTORY NAME=FILE …`, one file a zip."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "package"))
from package import write_zip  # noqa: E402

directory, *named = sys.argv[1:]
for name, _, file in (it.partition("=") for it in named):
    write_zip(pathlib.Path(file).read_bytes(), pathlib.Path(directory) / f"{name}.zip")
