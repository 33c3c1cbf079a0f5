"""The stages of the slices whose doors are attacked here."""

from tests.sealing.delivery.conftest import new_sealing_stage, sealed

__all__ = ["new_sealing_stage", "sealed"]
