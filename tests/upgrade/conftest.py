"""An empty database of either kind."""

from tests.contracts.conftest import url

__all__ = ["url"]
