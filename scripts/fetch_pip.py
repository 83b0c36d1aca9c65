"""Fetch pip's wheel from PyPI, for a Python that comes without it: `python fetch_pip.py TARGET.whl`.

A wheel of pip runs from where it lies (`python pip.whl/pip install ...`), so nothing has to be installed first.
"""

import hashlib
import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

INDEX = "https://pypi.org/simple/pip/"
WHEEL = "-py3-none-any.whl"


def main(target: Path) -> None:
    with urlopen(Request(INDEX, headers={"Accept": "application/vnd.pypi.simple.v1+json"}), timeout=60) as answer:
        files = json.load(answer)["files"]
    wheel = max((file for file in files if is_a_release(file)), key=version)
    with urlopen(wheel["url"], timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["hashes"]["sha256"]:
        sys.exit(f"{wheel['filename']} does not have the hash that PyPI states for it")
    target.write_bytes(content)


def is_a_release(file: dict) -> bool:
    name = file["filename"]
    return name.endswith(WHEEL) and not file.get("yanked") and all(part.isdigit() for part in numbers(name))


def version(file: dict) -> tuple[int, ...]:
    return tuple(map(int, numbers(file["filename"])))


def numbers(filename: str) -> list[str]:
    return filename.removeprefix("pip-").removesuffix(WHEEL).split(".")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
