"""Tests on Ray: its own warnings, of sockets that it leaves to the garbage collector among them, are no failures."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("ray") is not None:
            item.add_marker(pytest.mark.filterwarnings("default"))
