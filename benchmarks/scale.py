"""What a step of training takes on 10, 100 and 1,000 workers, on paper: ``python -m benchmarks.scale``.

`step` follows the messages of one step of `nn.fit(…, cluster=client)` from the one who sends them to the one who waits:
a line carries one message after the other, a sum waits for both of its parts. docs/scale.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["PLANS", "Plan", "Step", "step", "table"]


@dataclass(frozen=True)
class Plan:
    """A network, its batch, and the machines.

    Attributes
    ----------
    parameters : float
        Bytes of all parameters; those of their gradients are as many.
    example, output : float
        Bytes of one example, and of what the network gives for it.
    computing : float
        Seconds that a worker takes for the loss and the gradients of one example.
    batch : int
        Examples, of all workers together.
    line : float
        Bytes per second of each machine's line.
    task : float
        Seconds of the scheduler for each task, and from one machine to another.
    straight : bool
        Whether the client sends the parameters to each worker itself; else workers pass them on, as sums come back.
    """

    parameters: float
    example: float
    output: float
    computing: float
    batch: int
    line: float = 1.25e9
    task: float = 1e-3
    straight: bool = True


@dataclass(frozen=True)
class Step:
    """Where the seconds of a step go, and the bytes that are moved in it."""

    sending: float
    computing: float
    summing: float
    moved: float

    @property
    def seconds(self) -> float:
        return self.sending + self.computing + self.summing


def step(plan: Plan, workers: int) -> Step:
    """One step on so many workers."""
    share = plan.batch / workers
    data = share * plan.example
    passed_on = plan.parameters / plan.line + plan.task
    starts, leaves = [], 0.0
    for k in range(workers):
        leaves += plan.task + (data + (plan.parameters if plan.straight else 0)) / plan.line
        # passed on, parameters reach twice as many machines in each round
        starts.append(leaves if plan.straight else max(leaves, passed_on * (k + 1).bit_length()))
    ready = [(start + share * plan.computing, share * plan.output) for start in starts]
    while len(ready) > 1:
        ready = [_summed(plan, ready[i : i + 2]) for i in range(0, len(ready), 2)]
    end = ready[0][0] + plan.task + (plan.parameters + ready[0][1]) / plan.line
    computed = starts[-1] + share * plan.computing
    moved = plan.batch * (plan.example + plan.output) + 2 * workers * plan.parameters
    return Step(starts[-1], share * plan.computing, end - computed, moved)


def _summed(plan: Plan, parts: list[tuple[float, float]]) -> tuple[float, float]:
    """When the sum of one or two parts is ready, and the bytes of outputs that go with it."""
    latest, outputs = max(time for time, _ in parts), sum(held for _, held in parts)
    sent = plan.task + (plan.parameters + parts[-1][1]) / plan.line
    return latest + sent * (len(parts) - 1), outputs


RESNET = Plan(parameters=46.8e6, example=602e3, output=4e3, computing=0.5, batch=8192)
LENET = Plan(parameters=247e3, example=3136, output=40, computing=0.3e-3, batch=8192)
PLANS = {
    "ResNet-18, parameters to each worker": RESNET,
    "ResNet-18, parameters passed on": replace(RESNET, straight=False),
    "ResNet-18, passed on, 32 examples each": replace(RESNET, straight=False, batch=0),
    "LeNet, parameters to each worker": LENET,
}
"""By name; a batch of 0 stands for 32 examples of each worker."""


def table() -> str:
    """Each plan on 1, 10, 100 and 1,000 workers, as Markdown."""
    rows = [
        "| plan | workers | seconds a step | sending | computing | summing | bytes moved | times one worker |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, plan in PLANS.items():
        rates = []
        for workers in (1, 10, 100, 1000):
            this = plan if plan.batch else replace(plan, batch=32 * workers)
            found = step(this, workers)
            rates.append(this.batch / found.seconds)
            parts = [f"{part / found.seconds:.0%}" for part in (found.sending, found.computing, found.summing)]
            numbers = [
                f"{workers:,}",
                f"{found.seconds:,.2f}",
                *parts,
                _bytes(found.moved),
                f"{rates[-1] / rates[0]:,.1f}",
            ]
            rows.append(f"| {name} | {' | '.join(numbers)} |")
    return "\n".join(rows)


def _bytes(count: float) -> str:
    for unit in ("kB", "MB"):
        count /= 1e3
        if count < 1e3:
            return f"{count:,.0f} {unit}"
    return f"{count / 1e3:,.1f} GB"


if __name__ == "__main__":
    print(table())
