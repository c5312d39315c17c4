"""Particles in motion as a file: MP4, GIF, or a page that plays them without any network."""

import base64
import html
import io
import shutil
import subprocess
import tempfile
from itertools import chain
from pathlib import Path

from dlab.figures.movie import packet

FILMS = ("mp4", "gif", "html")
FPS = 30  # of an MP4, which has the size of `figures.film`
GIF_FPS, GIF_SCALE = 10, 0.5  # a GIF counts in hundredths of a second, and grows with every picture
HOLD = 1.5  # seconds that a GIF rests on its last picture before it starts again
COLOURS = 128  # of a GIF; more make it larger, not better
# The same files that the app's player is made of.
PLAYER = Path(__file__).resolve().parents[1] / "ui"
NO_FFMPEG = "MP4 needs ffmpeg: pip install imageio-ffmpeg brings one. GIF and HTML work without."


def missing(fmt: str) -> str | None:
    """A sentence that says what a format of FILMS lacks on this machine, None where it can be made."""
    return NO_FFMPEG if fmt == "mp4" and _ffmpeg() is None else None


def film_bytes(movie: bytes, fmt: str, *, title: str = "", caption: str = "") -> bytes:
    """An encoded movie (`figures.movie.encode`) as a file that shows what the player does at 1×.

    title and caption, plain text, are for html. ValueError for an unknown format, RuntimeError where something is missing.
    """
    if fmt not in FILMS:
        raise ValueError(f"format {fmt!r} is unknown; choose one of {', '.join(FILMS)}")
    if reason := missing(fmt):
        raise RuntimeError(reason)
    if fmt == "html":
        return player_page(movie, title, caption).encode()
    # Matplotlib takes a second to import, and a page that exports nothing should not wait for it.
    from dlab.figures import film

    return _gif(film.frames(movie, GIF_FPS, GIF_SCALE), GIF_FPS) if fmt == "gif" else _mp4(film.frames(movie, FPS), FPS)


def _ffmpeg() -> str | None:
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return shutil.which("ffmpeg")


def _mp4(pictures, fps) -> bytes:
    first = next(pictures)
    height, width = first.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        out, log = Path(folder) / "film.mp4", Path(folder) / "log"
        # yuv420p is what every player shows; bitexact and one thread give the same bytes each time.
        command = [
            _ffmpeg(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6g}", "-i", "-",
            "-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-pix_fmt", "yuv420p", "-threads", "1",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", "-fps_mode", "passthrough", str(out),
        ]  # fmt: skip
        # With close_fds the child would be forked, which JAX's threads do not bear; without it, it is spawned.
        pipes = {"stdin": subprocess.PIPE, "close_fds": False}
        with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, **pipes) as process:
            try:
                for picture in chain([first], pictures):
                    process.stdin.write(picture.tobytes())
            except BrokenPipeError:
                pass  # ffmpeg says why in its log
            finally:
                process.stdin.close()
        if process.returncode:
            raise RuntimeError(f"ffmpeg made no film: {log.read_text(errors='replace').strip()}")
        return out.read_bytes()


def _gif(pictures, fps) -> bytes:
    import numpy as np
    from PIL import Image

    pictures = list(pictures)
    # One palette for the whole film, from pictures spread over it: colours stay what they are from frame to frame.
    some = np.concatenate(pictures[:: -(-len(pictures) // 6)] + pictures[-1:])
    palette = Image.fromarray(some).quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    entries = np.array(palette.getpalette()).reshape(-1, 3)
    white = int(entries.sum(axis=1).argmax())
    entries[white] = 255
    small = []
    for picture in pictures:
        codes = np.array(Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE))
        # Pillow compares after rounding to fours, and a white page would become a grey one.
        codes[(picture == 255).all(axis=2)] = white
        small.append(Image.fromarray(codes))
        small[-1].putpalette(entries.ravel().tolist())
    tick = round(100 / fps) * 10
    file = io.BytesIO()
    small[0].save(
        file, "GIF", save_all=True, append_images=small[1:], duration=[tick] * (len(small) - 1) + [tick + int(1000 * HOLD)],
        loop=0, optimize=False,
    )  # fmt: skip
    return file.getvalue()


def player_page(movie: bytes, title: str = "", caption: str = "") -> str:
    """One HTML page with the player and the movie inside. It asks for nothing, and its policy forbids that it could."""
    body, style, clouds, script = (PLAYER.joinpath(f).read_text("utf-8") for f in ("player.html", "player.css", "clouds.js", "player.js"))
    data = base64.b64encode(packet(movie, height=520, above=180, alt=caption)).decode()
    said, below = html.escape(title or "Particles"), html.escape(caption)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{said}</title>
<style>
:root {{ color-scheme: light dark; --st-text-color: #1f2328; --st-background-color: #ffffff; --st-primary-color: #00639c;
  --st-font: "Source Sans 3", "Helvetica Neue", Arial, sans-serif; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --st-text-color: #f0f2f5; --st-background-color: #0e1117; --st-primary-color: #56b4e9; }}
}}
body {{ margin: 1rem auto; padding: 0 1rem; max-width: 80rem; font: 16px/1.5 var(--st-font);
  color: var(--st-text-color); background: var(--st-background-color); }}
h1 {{ font-size: 1.3rem; margin: 0 0 0.75rem; }}
{style}
</style>
</head>
<body>
<h1>{said}</h1>
<div id="stage">
{body}
</div>
<p>{below}</p>
<script type="application/octet-stream" id="movie">{data}</script>
<script type="module">
{clouds}
{script}
const code = atob(document.getElementById("movie").textContent);
const data = Uint8Array.from(code, c => c.charCodeAt(0));
const show = () => mount({{ parentElement: document.getElementById("stage"), data }});
show();
// The canvases take their colours from the theme when they are shown.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
</script>
</body>
</html>
"""
