"""What helps the tests of the matrix says what it compared, as a test does."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.matrix.hosts", "tests.matrix.visits")
