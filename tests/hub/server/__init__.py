"""A Hugging Face Hub on this machine, which the unmodified clients accept through `HF_ENDPOINT`."""

from .local_hub import LocalHub

__all__ = ["LocalHub"]
