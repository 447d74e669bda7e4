"""The loss around a point, over two directions in the space of the parameters, and the way that a training took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd import no_grad

from .contours import as_powers, contours, height, way
from .directions import Plane, plane_of
from .figure import Plot, heat, plot
from .models import checked, in_use, states
from .motion import Motion, motion

__all__ = ["loss_surface"]

_LOG_FROM = 30.0


class SurfacePlot(Plot):
    """What `loss_surface` returns."""

    _plane: Plane
    _log: bool

    def animate(self, seconds: float = 8.0) -> Motion:
        """The paths on the contours step by step, all at the same time, with the loss of each beside them.

        Parameters
        ----------
        seconds : float, optional
            How long one round takes.

        Returns
        -------
        Motion
            A notebook shows it with a slider; ``save("descent.html")`` writes that page, ``save("descent.svg")`` an
            image that moves by itself, ``save("descent.png")`` its end.

        Raises
        ------
        ValueError
            If the surface has no path, or `seconds` is no positive number.

        Examples
        --------
        >>> import numpy as np, nn, viz
        >>> net = nn.Sequential(nn.Linear(1, 1, rng=0))
        >>> path = [{"0.weight": np.array([[w]]), "0.bias": np.zeros(1)} for w in (3.0, 2.0, 1.5)]
        >>> x = np.array([[0.0], [1.0]])
        >>> viz.loss_surface(net, (x, x), ("0.weight[0, 0]", "0.bias[0]"), path=path, points=5).animate()
        <Plot: 2 steps on the loss over 0.weight[0, 0] and 0.bias[0]>
        """
        return motion(self.data, self._plane, self._log, seconds, self.name)


def loss_surface(
    model: Any,
    data: Any,
    along: Any = "random",
    *,
    path: Any = None,
    loss: Callable[..., Any] | None = None,
    span: float = 1.0,
    points: int = 21,
    log: bool | None = None,
    seed: int = 0,
) -> SurfacePlot:
    """Show the loss over two directions in the space of the parameters, as contours and in 3-D, with paths on it.

    Parameters
    ----------
    model : nn.Module
        The centre of the picture is where its parameters are now. They are put back afterwards.
    data : (inputs, targets), or callable
        What the loss is of; or ``loss()`` or ``loss(model)`` itself, which `viz.record` takes too.
    along : {"random", "pca"} or pair of str, optional
        ``"random"``: two random directions, normalised filter by filter to the norms of the model's filters (biases
        stay). ``"pca"``: the two principal directions of the `path`. Or two single weights by their names,
        ``("0.weight[3, 7]", "0.bias[3]")``, also as the tape calls them, ``"W⁽¹⁾[3, 7]"``.
    path : Recording, list of state_dict, or dict of them, optional
        Trainings to be drawn on the surface, projected on the plane: what `viz.record` returned, or
        ``model.state_dict()`` of some moments; several by what they are called.
    loss : callable, optional
        ``loss(output, target)`` of `data`. Unless told cross-entropy of logits for integers, else mean squared error.
    span : float, optional
        How far to each side, in the units of the axes, where no path reaches farther.
    points : int, optional
        So many values along each direction.
    log : bool, optional
        Colours and heights by the logarithm of the loss; where it spans a factor of 30, unless told.
    seed : int, optional
        Of the random directions.

    Returns
    -------
    SurfacePlot
        Its method ``animate()`` shows the paths step by step.
        ``data["x"]``, ``data["y"]`` of shape (points,), ``data["loss"]`` of shape (points, points), one row for each y;
        ``data["paths"]``: for each label the positions (moments, 2) and the losses there; ``data["explained"]``: the
        share of the path's variance along each principal direction.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    KeyError
        If there is no weight of that name.
    ValueError
        If `along` is none of these, or is "pca" without a path that moves; if an option is out of range.
    ImportError
        If the extra ``plots`` is not installed.

    Notes
    -----
    Filter-normalised directions are from H. Li et al., "Visualizing the loss landscape of neural nets" (2018). On the
    plane a path is its projection: off the plane the loss is another one, so that a path can seem to climb.

    Examples
    --------
    >>> import numpy as np, nn, viz
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> net = nn.Sequential(nn.Linear(2, 2, rng=0))
    >>> plot = viz.loss_surface(net, (x, [0, 1]), ("0.weight[0, 1]", "0.bias[0]"), span=2, points=5)
    >>> plot, plot.data["loss"].shape
    (<Plot: loss over 0.weight[0, 1] and 0.bias[0]>, (5, 5))
    """
    checked(model, "loss_surface")
    if isinstance(points, bool) or not isinstance(points, int) or points < 3:
        raise ValueError(f"loss_surface: points must be an integer of at least 3, got {points!r}")
    if not 0 < span < np.inf:
        raise ValueError(f"loss_surface: span must be a positive number, got {span!r}")
    given = {} if path is None else dict(path) if isinstance(path, Mapping) else {"path": path}
    ways = {str(label): states(model, one, "loss_surface") for label, one in given.items()}
    measure = _measure(model, data, loss)
    with in_use(model), no_grad():
        measure()  # so that parameters have the names of the tape, and data that do not fit show
    plane = plane_of(model, along, ways, np.random.default_rng(seed))
    places = {label: np.array([plane.project(state) for state in way]) for label, way in ways.items()}
    x, y = (_range([p[:, axis] for p in places.values()], plane.centre[axis], span, points) for axis in (0, 1))
    with plane.moved(model) as move, in_use(model), no_grad(), np.errstate(all="ignore"):

        def at(position: Any) -> float:
            move(position)
            return measure()

        surface = np.array([[at((a, b)) for a in x] for b in y])
        there = {label: np.array([at(position) for position in way]) for label, way in places.items()}
    finite = surface[np.isfinite(surface)]
    if not finite.size:
        raise ValueError("loss_surface: the loss is NaN or infinite all over")
    if log is None:
        log = bool(finite.min() > 0 and finite.max() > _LOG_FROM * finite.min())
    paths = {label: (places[label], there[label]) for label in places}
    name = f"loss over {plane.titles[0]} and {plane.titles[1]}"
    numbers = {"x": x, "y": y, "loss": surface, "paths": paths, "explained": plane.explained}
    shown = plot(lambda figure: _draw(figure, numbers, plane, log), (11.0, 4.6), name, numbers, SurfacePlot)
    shown._plane, shown._log = plane, log
    return shown


def _measure(model: Any, data: Any, loss: Any) -> Callable[[], float]:
    """A function that computes the loss with the parameters as they are."""
    if callable(data):
        if loss is not None:
            raise TypeError("loss_surface: loss= goes with data=(inputs, targets), not with a function")
        takes = data.__code__.co_argcount if hasattr(data, "__code__") else 0
        return lambda: _number(data(model) if takes else data())
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(
            f"loss_surface: data must be a pair (inputs, targets) or a function loss(), got {type(data).__name__}"
        )
    inputs, targets = data
    of = loss or _default
    return lambda: _number(of(model(inputs), targets))


def _number(value: Any) -> float:
    if getattr(value, "size", 1) != 1:
        raise ValueError(f"loss_surface: the loss must be one number, got shape {value.shape}: take its .mean()")
    return float(getattr(value, "data", value))


def _default(output: Any, target: Any) -> float:
    """Cross-entropy of logits for integers, else the mean squared error."""
    z, y = np.asarray(output.data, np.float64), np.asarray(target)
    if y.dtype.kind not in "iu":
        if y.shape != z.shape:
            raise ValueError(f"loss_surface: the output has shape {z.shape}, targets have {y.shape}: give loss=")
        return float(np.square(z - y).mean())
    if z.ndim != 2 or y.shape != z.shape[:1]:
        raise ValueError(f"loss_surface: logits (N, C) are needed for labels {y.shape}, got {z.shape}: give loss=")
    if (z >= 0).all() and np.allclose(z.sum(axis=1), 1, atol=1e-3):
        raise ValueError("loss_surface: the model gives probabilities, not logits: give loss=nn.functional.log_loss")
    top = z.max(axis=1)
    return float((np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - z[np.arange(len(y)), y]).mean())


def _range(places: list[Any], centre: float, span: float, points: int) -> Any:
    low, high = centre - span, centre + span
    if places:
        far = np.concatenate(places)
        margin = 0.2 * max(float(np.ptp(far)), 1e-6)
        low, high = min(float(far.min()), centre) - margin, max(float(far.max()), centre) + margin
    return np.linspace(low, high, points)


def _draw(figure: Any, data: Mapping[str, Any], plane: Plane, log: bool) -> None:
    flat, solid = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    bar, surface, (low, high) = contours(figure, flat, data, plane, log)
    x, y = np.meshgrid(data["x"], data["y"])
    solid.plot_surface(
        x, y, surface.filled(np.nan), cmap=heat(), vmin=low, vmax=high, alpha=0.85, linewidth=0, rasterized=True
    )
    lift = 0.01 * (high - low)
    for i, (label, (places, losses)) in enumerate(data["paths"].items()):
        style = {**way(i), "markevery": max(1, len(places) // 25)}
        flat.plot(*places.T, label=label, **style)
        solid.plot(*places.T, np.clip(height(losses, log), low, high) + lift, **style)
        flat.plot(*places[-1], marker="*", markersize=13, color=style["color"], markeredgecolor="white", zorder=30)
    if data["paths"]:
        handles = flat.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, title="★ end of the training")
    else:
        flat.plot(*plane.centre, marker="*", markersize=13, color=way(0)["color"], markeredgecolor="white")
    if log:
        as_powers(solid.zaxis)
    flat.set(title="contours")
    solid.set_xlabel(plane.short[0], labelpad=8)
    solid.set_ylabel(plane.short[1], labelpad=8)
    solid.set_zlabel(bar.ax.get_ylabel(), labelpad=10)
    solid.set_title("surface")
    solid.view_init(elev=35, azim=-60)
    solid.set_box_aspect(None, zoom=0.8)
    solid.locator_params(nbins=4)
    for axis in (solid.xaxis, solid.yaxis, solid.zaxis):
        axis.set_pane_color((0.5, 0.5, 0.5, 0.05))
