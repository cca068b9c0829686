import pytest

from cornicen.testing.pages import PageServer


@pytest.fixture
def server():
    with PageServer() as pages:
        yield pages
