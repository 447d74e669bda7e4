"""``scipy.integrate.odeint``, differentiated by the adjoint equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate as _integrate

from ..misc.flatten import flatten
from ..registry import defvjp_variadic, on_numbers, primitive
from ..transforms import vjp

__all__ = ["odeint"]


def odeint(func: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """The solution of ``dy/dt = func(y, t, *args)`` at the times `t`, from `y0`: a row for each time.

    Gradients with respect to `y0`, `t` and `args` come from solving the adjoint equation backward in time (C. Froehlich
    et al., PLoS Comput. Biol. 13(1), 2017, section 2.4.2); Tensors that `func` closes over are refused.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> from autograd.scipy.integrate import odeint
    >>> end = lambda y0, rate: odeint(lambda y, t, rate: -rate * y, y0, np.array([0.0, 1.0]), (rate,))[-1, 0]
    >>> [round(float(d), 4) for d in grad(end, (0, 1))(np.array([2.0]), 0.5)[0]]
    [0.6065]
    """
    constants, unflatten = flatten(args)

    def slope(y: Any, t: Any, constants: Any) -> Any:
        return func(y, t, *unflatten(constants))

    def solved(y0: Any, t: Any, constants: Any) -> Any:
        numbers = lambda y, t: on_numbers(slope, (y, t, constants), "odeint")
        return _integrate.odeint(numbers, y0, t, **options)

    def pulled(g: Any, ys: Any, i: int, y0: Any, t: Any, constants: Any) -> Any:
        size = y0.shape[0]

        def backward(state: Any, t: Any, constants: Any) -> Any:
            dy, pull = vjp(lambda y, constants: slope(y, t, constants), state[:size], constants)
            of_y, of_constants = pull(-state[size : 2 * size])
            return np.concatenate([np.reshape(dy, (size,)), of_y, of_constants])

        of_y, of_constants, of_t = g[-1], np.zeros(constants.shape), []
        for k in range(len(t) - 1, 0, -1):
            of_t.append(np.dot(slope(ys[k], t[k], constants), g[k]))
            state = np.concatenate([ys[k], of_y, of_constants])
            state = odeint(backward, state, np.stack([t[k], t[k - 1]]), (constants,), **options)[1]
            of_y, of_constants = state[size : 2 * size], state[2 * size :]
            if k > 1:
                of_y = of_y + g[k - 1]
        of_t.append(-np.dot(slope(ys[0], t[0], constants), of_y))
        return (of_y + g[0] if len(t) > 1 else of_y, np.stack(of_t[::-1]), of_constants)[i]

    solved.__name__ = "odeint"
    operation = primitive(solved)
    defvjp_variadic(operation, pulled)
    return operation(np.atleast_1d(y0), t, constants)
