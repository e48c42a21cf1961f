"""Take the noise out of solar polarimetric maps, and know how far to trust what is left."""

__version__ = "0.1.0"
