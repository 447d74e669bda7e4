"""The command ``python -m benchmarks``: pin every library to one thread, run the chosen workloads, print the table."""

import os

# BLAS libraries read these when they are loaded: they have to be set before NumPy is imported.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import gc
import sys

from . import (
    blame,
    blocks,
    chain,
    conv,
    deep,
    derivatives,
    garbage,
    growth,
    hips,
    lenet,
    memory,
    mistakes,
    mlp,
    moons,
    noise,
    startup,
)
from .report import as_json, machine, table
from .timing import Row, torch_or_none

WORKLOADS = {
    "chain": chain,
    "mlp": mlp,
    "lenet": lenet,
    "conv": conv,
    "moons": moons,
    "derivatives": derivatives,
    "blocks": blocks,
    "hips": hips,
    "deep": deep,
    "startup": startup,
    "memory": memory,
    "garbage": garbage,
    "blame": blame,
    "mistakes": mistakes,
    "noise": noise,
}


def main(argv: list[str] | None = None) -> int:
    """Run the workloads named in `argv`, all of them without names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time tracegrad beside PyTorch, NumPy by hand, micrograd and HIPS autograd: one thread, "
        "candidates taking turns, an untimed call before each timed block; ratios are medians of those within a round.",
        epilog="workloads:\n"
        + "\n".join(f"{name:12}{str(module.__doc__).splitlines()[0]}" for name, module in WORKLOADS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workload", nargs="*", help=f"any of {', '.join(WORKLOADS)} (all of them unless given)")
    parser.add_argument("--rounds", type=int, default=11, help="how many times each candidate has its turn (11)")
    parser.add_argument(
        "--hips", metavar=("PYTHON", "EXAMPLES"), nargs=2, default=[],
        help="a Python that has HIPS autograd, and the folder of its examples, for the workload hips",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="write the results to FILE as well")
    parser.add_argument(
        "--plot", metavar="FILE", nargs="?", const=growth.FILE,
        help="instead, draw time and bytes per operation in chains of 10^3 to 10^6 operations into FILE "
        f"({growth.FILE})",
    )  # fmt: skip
    options = parser.parse_args(argv)
    unknown = [name for name in options.workload if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload is named {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")

    if options.plot:
        if options.workload:
            parser.error(f"--plot draws chains alone: give no workload beside it, got {options.workload[0]!r}")
        try:
            growth.draw(options.plot, options.rounds)
        except ImportError as error:
            parser.error(str(error))
        print(f"drawn into {options.plot}")
        return 0

    torch = torch_or_none()
    if torch is not None:
        torch.set_num_threads(1)
    else:
        print("PyTorch is not installed (pip install torch==2.13.0), so there are only ratios to NumPy.\n")
    facts = machine()
    print("; ".join(f"{key} {value}" for key, value in facts.items()), end="\n\n")
    gc.collect()
    gc.freeze()  # the libraries' own objects are not part of what the collector walks in a user's loop

    rows: list[Row] = []
    for name in options.workload or WORKLOADS:
        print(f"running {name} ...", file=sys.stderr, flush=True)
        rows += hips.run(options.rounds, *options.hips) if name == "hips" else WORKLOADS[name].run(options.rounds)
    print(table(rows))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(as_json(facts, options.rounds, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
