"""What the checks of A3 do with a submission: the programs of their cases."""

from __future__ import annotations

# A tuple of the wrong length is told in words: "too many values to unpack" says not of what.
Y = """back = forward(x, gamma, beta, eps)
assert len(back) == 2 and len(back[1]) == 3, "forward returns y, (x_hat, inverse, gamma)"
y, cache = back"""
KEPT = """back = forward(x, gamma, beta, eps)
assert len(back) == 2 and len(back[1]) == 3, "forward returns y, (x_hat, inverse, gamma)"
y, (x_hat, inverse, kept_gamma) = back"""
PARAMETERS = """back = parameter_gradients(g, (x_hat, inverse, gamma))
assert len(back) == 2, "parameter_gradients returns dgamma, dbeta"
dgamma, dbeta = back"""
INPUT = "dx = input_gradient(g, (x_hat, inverse, gamma))"
WEIGHTED_Y = """back = weighted_forward(x, gamma, beta, eps, weights)
returns = "weighted_forward returns y, (x_hat, inverse, gamma, weights)"
assert len(back) == 2 and len(back[1]) == 4, returns
y, cache = back"""
WEIGHTED_KEPT = """back = weighted_forward(x, gamma, beta, eps, weights)
returns = "weighted_forward returns y, (x_hat, inverse, gamma, weights)"
assert len(back) == 2 and len(back[1]) == 4, returns
y, (x_hat, inverse, _, _) = back"""
WEIGHTED_GRADIENTS = """back = weighted_backward(g, (x_hat, inverse, gamma, weights))
assert len(back) == 3, "weighted_backward returns dx, dgamma, dbeta"
dx, dgamma, dbeta = back"""

# "Nothing else changes" compares with what was before, not with what is right: a wrong y or dx costs the
# points of the checks that are about it. But an answer there must be, no constant and no copy of an argument.
# (Task 4 compares with what is right here too: the library's op, which knows no weights, gets nothing there.)
FORWARD_TWICE = """now, old = (x, gamma, beta), (x.copy(), gamma.copy(), beta.copy())
y, (x_hat, inverse, _) = forward(x, gamma, beta, eps)
kept = y, x_hat, inverse
first = [np.array(a) for a in kept]
y_2, _ = forward(x_2, gamma, beta, eps)
x_changed, gamma_changed, beta_changed = [np.any(a != b) for a, b in zip(now, old)]
y_changed, x_hat_changed, inverse_changed = [np.any(a != b) for a, b in zip(kept, first)]
second_call_differs = not np.allclose(forward(*old, eps)[0], first[0])
y_is_computed = not any(np.array_equal(first[0], a) for a in (y_2, old[0]))"""
PARAMETERS_TWICE = """now = g, x_hat, inverse, gamma
old = [a.copy() for a in now]
dgamma, dbeta = back = parameter_gradients(g, (x_hat, inverse, gamma))
first = [np.array(a) for a in back]
other = parameter_gradients(g_2, (x_hat_2, inverse_2, gamma))
g_changed, x_hat_changed, inverse_changed, gamma_changed = map(np.any, map(np.not_equal, now, old))
dgamma_changed, dbeta_changed = [np.any(a != b) for a, b in zip(back, first)]
second_call_differs = not np.allclose(parameter_gradients(old[0], tuple(old[1:])), first)
dgamma_is_computed, dbeta_is_computed = [np.any(a != b) for a, b in zip(first, other)]"""
INPUT_TWICE = """now = (g, x_hat, inverse, gamma)
old = [a.copy() for a in now]
dx = input_gradient(g, (x_hat, inverse, gamma))
first, dx_2 = np.array(dx), input_gradient(g_2, (x_hat_2, inverse_2, gamma))
g_changed, x_hat_changed, inverse_changed, gamma_changed = map(np.any, map(np.not_equal, now, old))
dx_changed = np.any(dx != first)
second_call_differs = not np.allclose(input_gradient(old[0], tuple(old[1:])), first)
dx_is_computed = not any(np.array_equal(first, a) for a in (dx_2, old[0], old[1]))"""
WEIGHTED_TWICE = """y, (x_hat, _, _, _) = weighted_forward(x, gamma, beta, eps, weights)
y_2, _ = weighted_forward(x_2, gamma, beta, eps, weights)
dx, _, _ = weighted_backward(g, (x_hat_1, inverse_1, gamma, weights))
dx_2, _, _ = weighted_backward(g_2, (x_hat_2, inverse_2, gamma, weights))
x_after, g_after, weights_after = x, g, weights"""
