"""The command line: ``tracegrad demo``, ``tracegrad draw``, ``tracegrad step`` and ``tracegrad check``.

What stands after ``--`` is what a script finds in its own ``sys.argv``.

A command that can't do what it was asked says why in one sentence and ends with status 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .errors import UsageError

_OWN_ARGUMENTS = "A script with arguments of its own finds those that stand after --, and none where there are none."


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 4294967295, got {value}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    main_parser = argparse.ArgumentParser(
        prog="tracegrad", description="Backpropagation whose every step can be seen.", allow_abbrev=False
    )
    main_parser.add_argument("--version", action="version", version=f"tracegrad {__version__}")
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        allow_abbrev=False,
        help="train a convolutional network on handwritten digits and draw its graph",
        description="Train a small convolutional network on the embedded digits, take one test digit, print every z, a "
        "and gradient, check the gradients numerically, and write two graphs, all steps as a page, and the parameters.",
    )
    demo.add_argument(
        "--out", type=Path, default=Path("tracegrad-out"), metavar="DIR", help="where to write (%(default)s)"
    )
    demo.add_argument("--seed", type=_seed, default=0, metavar="N", help="of weights and mini-batches (%(default)s)")
    demo.add_argument("--epochs", type=_positive, default=15, metavar="N", help="passes over the digits (%(default)s)")
    demo.add_argument("--quiet", action="store_true", help="print the results alone, no progress bar")

    draw = commands.add_parser(
        "draw",
        allow_abbrev=False,
        help="draw the graph of a loss that your own script builds",
        description="Run a script and draw the graph of the Tensor it leaves under a name, or that a function returns.",
        epilog=_OWN_ARGUMENTS,
    )
    draw.add_argument("target", metavar="FILE.py:NAME", help="a script and a name in it (or module:function)")
    draw.add_argument(
        "--out", type=Path, default=Path("graph.svg"), metavar="FILE", help=".svg .png .pdf .dot or .txt (%(default)s)"
    )
    draw.add_argument(
        "--level",
        choices=("auto", "layer", "line", "op", "scalar"),
        default="auto",
        help="how much to show (%(default)s)",
    )
    draw.add_argument("--direction", choices=("TB", "LR"), default=None, help="top to bottom, or left to right")
    draw.add_argument(
        "--max-nodes", type=_positive, default=60, metavar="N", help="before layers are folded (%(default)s)"
    )
    draw.add_argument("--legend", action="store_true", help="say what colours, borders and arrows mean")

    step = commands.add_parser(
        "step",
        allow_abbrev=False,
        help="step through forward and backward of a loss that your own script builds",
        description="Run a script and print every step of the forward and the backward pass of the Tensor it leaves "
        "under a name, or that a function returns; or write them as a page to step through.",
        epilog=_OWN_ARGUMENTS,
    )
    step.add_argument("target", metavar="FILE.py:NAME", help="a script and a name in it (or module:function)")
    step.add_argument("--out", type=Path, default=None, metavar="FILE", help=".html or .txt (prints unless given)")
    step.add_argument(
        "--break-at", default=None, metavar="WHERE", help="where the page of --out opens: a layer, a value, or nan"
    )
    step.add_argument(
        "--against",
        type=Path,
        default=None,
        metavar="FILE.npz",
        help="gradients derived by hand, by the names of what they belong to: np.savez(FILE, W1=dW1, b1=db1)",
    )
    check = commands.add_parser(
        "check",
        allow_abbrev=False,
        help="compare gradients derived by hand, and say which step of the derivation is wrong",
        description="Run a script, compare the gradients of the Tensor it leaves under a name, or that a function "
        "returns, with those derived by hand, and say which step is wrong. The status is 1 where one is.",
        epilog=_OWN_ARGUMENTS,
    )
    check.add_argument("target", metavar="FILE.py:NAME", help="a script and a name in it (or module:function)")
    check.add_argument(
        "--against",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="the gradients, by the names of what they belong to: np.savez(FILE, W1=dW1, b1=db1)",
    )
    check.add_argument(
        "--timeout", type=_seconds, default=2.0, metavar="SECONDS", help="to look for the mistake (%(default)s)"
    )
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process unless told. What follows ``--`` is for the script.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    own = words.index("--") if "--" in words else len(words)
    arguments, given = parser().parse_args(words[:own]), words[own + 1 :]
    try:
        if arguments.command == "demo":
            from .demo import run

            run(arguments.out, seed=arguments.seed, epochs=arguments.epochs, quiet=arguments.quiet)
        elif arguments.command == "step":
            from .drawing import step_target

            step_target(
                arguments.target, arguments.out, break_at=arguments.break_at, against=arguments.against, given=given
            )
        elif arguments.command == "check":
            from .drawing import check_target

            return check_target(arguments.target, arguments.against, timeout=arguments.timeout, given=given)
        else:
            from .drawing import draw_target

            draw_target(
                arguments.target,
                arguments.out,
                level=arguments.level,
                direction=arguments.direction,
                max_nodes=arguments.max_nodes,
                legend=arguments.legend,
                given=given,
            )
    except (UsageError, ImportError) as error:
        print(f"tracegrad {arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0
