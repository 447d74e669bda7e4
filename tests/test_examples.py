"""The programs in examples/ run, and do what they say."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip("distributed")
EXAMPLES = Path(__file__).parent.parent / "examples"


def test_a_batch_larger_than_the_memory_of_a_worker_is_trained_on(capsys):
    memory, examples = 350_000_000, 90_000
    losses = runpy.run_path(str(EXAMPLES / "larger_than_memory.py"))["main"](examples, steps=1, memory=memory)
    assert "a batch of 360 MB, two workers of 350 MB" in capsys.readouterr().out
    assert len(losses) == 1 and 0.4 < losses[0] < 1.2
