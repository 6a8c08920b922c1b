"""The version of the package."""

from importlib import metadata

try:
    VERSION = metadata.version("recfact")
except metadata.PackageNotFoundError:
    # A source tree on sys.path, which nothing has installed.
    VERSION = "0+unknown"
