"""Static recompilation of AArch64 programs into native ports proven to behave like the original."""

__version__ = "0.1.0"
