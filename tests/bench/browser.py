# SPDX-License-Identifier: GPL-2.0-or-later
"""A page in headless Chromium, where there is one: what its console says and a picture of it."""
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

NAMES = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 90
# Of bytes that a picture with text and plots has; that of an empty page has fewer than five
COLOURFUL = 60


def program():
    """Its path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def look(page, picture, dark=False, size=(1240, 2400)):
    """What the console said of @page, a path; the window is left in @picture. RuntimeError if there is no picture."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--enable-logging=stderr", "--user-data-dir=" + profile,
             *(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []),
             f"--window-size={size[0]},{size[1]}", "--screenshot=" + os.path.abspath(picture),
             "file://" + os.path.abspath(page)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            env={**os.environ, "HOME": profile}, timeout=LIMIT, check=False)
    if done.returncode or not os.path.exists(picture):
        raise RuntimeError(f"{program()}: exit status {done.returncode}: {done.stderr.strip()[-300:]}")
    return [line for line in done.stderr.splitlines() if re.search(r"\bCONSOLE\b", line)]


def picture_of(path):
    """(width, height, different bytes, brightness of the corner up to 255) of a PNG; an empty page has few of these bytes."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise RuntimeError(f"{path} is not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    pixels, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        pixels += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    # A filter's number is before the first pixel, which no filter changes
    rows = zlib.decompress(pixels)
    return width, height, len(set(rows)), sum(rows[1:4]) // 3
