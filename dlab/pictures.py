"""Square grey images as data: scikit-learn's digits, MNIST's own files, or a folder of image files.

MNIST and folders lie in the folder that the environment variable DLAB_DATA names, ~/dlab-data without it. Nothing is fetched
from a network. Grey values run from -1, black, to 1, white.
"""

import gzip
import os
import struct
import warnings
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlab.params import BadInput, shortened, show

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".tif", ".tiff")
DEEP = ("I;16", "I;16L", "I;16B", "I")  # modes of 16 bits a pixel
LIKE = 4  # levels of 255 by which the three colours of a grey pixel may differ
MAX_IMAGES = 60_000
MAX_SIDE = 64
MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
SOURCE = "https://ossci-datasets.s3.amazonaws.com/mnist/"


# Whether somebody else's studies are read here, as the app does: by the path of a folder they would look round this machine.
served = False
# The folder of the study file that is read, where a relative folder of images is looked for too.
beside: Path | None = None


def home() -> Path:
    """Where data files lie."""
    return Path(os.environ.get("DLAB_DATA") or Path.home() / "dlab-data")


def choices() -> list[str]:
    """The names that `load` takes on this machine: "digits", "mnist" where its files are, folders with images in `home`."""
    found = ["digits"]
    if all(_idx_file(name) for name in MNIST):
        found.append("mnist")
    try:
        folders = sorted(p for p in home().iterdir() if p.is_dir() and p.name not in ("digits", "mnist"))
        return found + [p.name for p in folders if any(f.suffix.lower() in SUFFIXES for f in p.iterdir())]
    except OSError:
        return found


def load(data: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Images (n, side, side) in [-1, 1] and labels (n,), None where there are none.

    data: "digits", "mnist", the name of a folder in `home`, or the path of one. BadInput says what is missing and where it goes.
    """
    if not isinstance(data, str) or not data.strip():
        raise BadInput(f"target.data = {show(data)} is not text; give 'digits', 'mnist' or a folder of square grey images.")
    if data == "digits":
        return _digits()
    if data == "mnist":
        return _mnist(str(home()))
    if served and data not in (named := choices()):
        raise BadInput(f"target.data = {show(data)} is not among the data of this server; give one of {', '.join(named)}.")
    return _folder(str(_place(data)))


def _place(data: str) -> Path:
    """The folder that a name or a path means: in `home`, beside the study file, or from where the command was started."""
    try:
        tried = [base / data for base in (home(), beside, Path.cwd()) if base is not None]
        if "\0" in data or not data.isprintable():
            raise ValueError("it holds characters that a path cannot have")
        found = next((place for place in tried if place.is_dir()), None)
    except (OSError, ValueError) as error:
        raise BadInput(f"target.data = {show(data)} is not a path ({error}); give a folder of square grey images.") from None
    if found is None:
        looked = ", ".join(dict.fromkeys(map(str, tried)))
        raise BadInput(
            f"target.data = {show(data)}: there is no such folder (looked for {looked}); give 'digits', 'mnist', or a folder of square "
            "grey images, by its path or by its name in DLAB_DATA."
        )
    return found


@lru_cache(maxsize=1)
def _digits():
    from sklearn.datasets import load_digits

    found = load_digits()
    return _read_only(found.images / 8 - 1, found.target)


@lru_cache(maxsize=1)
def _mnist(_home):
    paths = [_idx_file(name) for name in MNIST]
    if None in paths:
        raise BadInput(
            f"target.data = 'mnist': {MNIST[paths.index(None)]}.gz is not in {home() / 'mnist'}; download {MNIST[0]}.gz and {MNIST[1]}.gz "
            f"from {SOURCE} and put them there, or set DLAB_DATA to the folder that holds 'mnist', or use 'digits', which needs no files."
        )
    images, labels = read_idx(paths[0]), read_idx(paths[1])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise BadInput(
            f"MNIST's files do not belong together: images of shape {images.shape}, labels of shape {labels.shape}; "
            f"download both again from {SOURCE}."
        )
    _check_size(str(paths[0]), images.shape[1:])
    return _read_only(images / 127.5 - 1, labels.astype(int))


def _idx_file(name) -> Path | None:
    """A file of MNIST, packed or not, also where a tool has named it with a dot."""
    spelled = (name, name.replace("-idx", ".idx"))
    return next((p for s in spelled for p in (home() / "mnist" / f"{s}.gz", home() / "mnist" / s) if p.is_file()), None)


def read_idx(path: Path) -> np.ndarray:
    """The array of unsigned bytes in a file of MNIST's IDX format, gzip or plain; BadInput where it is none.

    Two zero bytes, a type (8: unsigned byte), the number of dimensions, their lengths as big-endian 32-bit integers, the bytes.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            data = file.read(MAX_IMAGES * MAX_SIDE**2 + 16)  # no more, whatever a small packed file would become
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read ({error}); download it again.") from None
    if len(data) < 4 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 3 or len(data) < 4 + 4 * data[3]:
        raise BadInput(f"{path} is not an IDX file of unsigned bytes (it begins with {data[:4].hex()}); download it again.")
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if len(body) != np.prod(shape, dtype=float):
        raise BadInput(f"{path} holds {len(body)} bytes and its head says {'×'.join(map(str, shape))}; download it again.")
    return body.reshape(shape)


@lru_cache(maxsize=4)
def _folder(path):
    from PIL import Image

    place = Path(path)
    try:
        files = sorted(p for p in place.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise BadInput(
            f"target.data: the folder {path} cannot be read ({error.strerror}); give 'digits', 'mnist', or a folder of square grey images, "
            "by its path or by its name in DLAB_DATA."
        ) from None
    if not 2 <= len(files) <= MAX_IMAGES:
        raise BadInput(f"target.data: {path} holds {len(files)} images ({', '.join(SUFFIXES)}); give 2 to {MAX_IMAGES}.")
    images = []
    for file in files:
        try:
            with warnings.catch_warnings(action="ignore"), Image.open(file) as image:
                grey = _grey(file, image)
        except BadInput:
            raise
        except Exception as error:  # a damaged file may end its decoder anywhere
            reason = " ".join(shortened(str(error), 200).split()) or type(error).__name__
            raise BadInput(f"{file} cannot be read as an image ({reason}); replace or remove it.") from None
        if images and grey.shape != images[0].shape:
            sizes = ["×".join(map(str, shape)) for shape in (grey.shape, images[0].shape)]
            raise BadInput(f"{file} has {sizes[0]} pixels and {files[0].name} {sizes[1]}; give images of one size.")
        images.append(2 * grey - 1)
    return _read_only(np.stack(images), None)


def _grey(file: Path, image) -> np.ndarray:
    """Grey values in [0, 1] of an open image as a viewer shows it: turned as its EXIF says, transparent parts white."""
    from PIL import Image, ImageOps

    if getattr(image, "n_frames", 1) > 1:
        raise BadInput(f"{file} has {image.n_frames} frames; save one of them as an image of its own.")
    _check_size(str(file), image.size)
    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        return np.clip(np.asarray(image, float) / 65535, 0.0, 1.0)
    colours = image.convert("RGBA")
    plain = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    pixels = np.asarray(plain, float)[..., :3]
    if np.ptp(pixels, axis=-1).max() > LIKE:
        raise BadInput(f"{file} is not grey (mode {image.mode}); save it as a grey image.")
    return pixels.mean(-1) / 255


def _check_size(name, size):
    if size[0] != size[1] or not 2 <= size[0] <= MAX_SIDE:
        raise BadInput(f"{name} has {size[0]}×{size[1]} pixels; give square images of 2 to {MAX_SIDE} pixels a side.")


def _read_only(images, labels):
    images = np.asarray(images, float)
    images.flags.writeable = False
    return images, labels
