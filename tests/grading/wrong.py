"""The catalogue of wrong batch normalizations, as layers: each replaces one piece of a right one."""

from __future__ import annotations

import numpy as np

from minidl import ops
from tests.grading.right import ByTape, Closed


class NoAffineInEvaluation(ByTape):
    def affine(self, x_hat):
        return super().affine(x_hat) if self.training else x_hat


class PerActivation(ByTape):
    def batch(self, x):
        return x.mean(0), x.var(0)


class EpsOutsideTheRoot(ByTape):
    def inverse(self, var):
        return 1 / ops.sqrt(var) + self.eps


class StdPlusEps(ByTape):
    def inverse(self, var):
        return 1 / (ops.sqrt(var) + self.eps)


class MomentumSwapped(ByTape):
    def weight(self):
        return 1 / self.seen if self.momentum is None else 1 - self.momentum


class UpdatedInEvaluation(ByTape):
    def population(self, x):
        found = super().population(x)
        self.follow(x.data) if len(x) > 1 else None
        return found


class BatchStatisticsInEvaluation(ByTape):
    def population(self, x):
        return self.batch(x)


class MeanDetached(ByTape):
    def batch(self, x):
        return x.mean(self.axes(x)).detach(), x.var(self.axes(x))


class VarianceDetached(ByTape):
    def batch(self, x):
        return x.mean(self.axes(x)), x.var(self.axes(x)).detach()


class BiasedRunningVariance(ByTape):
    def factor(self, x):
        return 1


class BatchByUnbiasedVariance(ByTape):
    def batch(self, x):
        return x.mean(self.axes(x)), x.var(self.axes(x), ddof=1)


class RunningVarianceFrom0(ByTape):
    initial_var = 0.0


class NotLinked(ByTape):
    def affine(self, x_hat):
        return super().affine(x_hat).detach()


class GammaGradientNotSummed(Closed):
    def dgamma(self, g, x_hat, axes):
        return (g * x_hat).sum(0)


class GammaGradientAveraged(Closed):
    def dgamma(self, g, x_hat, axes):
        return (g * x_hat).sum(0).mean(axes[:-1])


class NForNHWInGradient(Closed):
    def dx(self, h, x_hat, inverse, axes):
        return inverse * (h - h.sum(axes) / len(h) - x_hat * (h * x_hat).sum(axes) / len(h))


class NForNHWInRunningVariance(ByTape):
    def factor(self, x):
        return len(x) / (len(x) - 1)


class TrainingFormulaInEvaluation(Closed):
    def dx_in_evaluation(self, h, x_hat, inverse, axes):
        return self.dx(h, x_hat, inverse, axes)


class SignFlipped(Closed):
    def dx(self, h, x_hat, inverse, axes):
        return inverse * (h - h.mean(axes) + x_hat * (h * x_hat).mean(axes))


class InPlace(ByTape):
    def forward(self, x):
        y = super().forward(x)
        x.data.flags.writeable = True
        x.data[...] -= x.data.mean(self.axes(x))
        return y


class SharedGradient(Closed):
    workspace = None

    def dx(self, *parts):
        if self.workspace is None:
            self.workspace = np.empty_like(parts[0])
        self.workspace[...] = super().dx(*parts)
        return self.workspace


# ---- further ones ------------------------------------------------------------------------------------------

class NoAffineInTraining(ByTape):
    def affine(self, x_hat):
        return x_hat if self.training else super().affine(x_hat)


class BothDetached(ByTape):
    def batch(self, x):
        return x.data.mean(self.axes(x)), x.data.var(self.axes(x))


class CorrectedTwice(ByTape):
    def factor(self, x):
        return super().factor(x) ** 2


class NoneAs01(ByTape):
    def weight(self):
        return 0.1 if self.momentum is None else self.momentum


class GammaFrom0(ByTape):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if self.gamma is not None:
            self.gamma.data = 0 * self.gamma.data


class NoEps(ByTape):
    def inverse(self, var):
        return 1 / ops.sqrt(var)


class BuiltInEps(ByTape):
    def inverse(self, var):
        return 1 / ops.sqrt(var + 1e-5)


class NoRoot(ByTape):
    def inverse(self, var):
        return 1 / (var + self.eps)


class OnlyXNotLinked(ByTape):
    def forward(self, x):
        return super().forward(x.detach())


class NoGammaInDx(Closed):
    def dx(self, h, x_hat, inverse, axes):
        return super().dx(h if self.gamma is None else h / self.gamma.data, x_hat, inverse, axes)


class NoGammaInDxInEvaluation(Closed):
    def dx_in_evaluation(self, h, x_hat, inverse, axes):
        return inverse * (h if self.gamma is None else h / self.gamma.data)


class SharedOutput(Closed):
    workspace = None

    def returned(self, y):
        if np.shape(self.workspace) != y.shape:
            self.workspace = np.empty_like(y)
        self.workspace[...] = y
        return self.workspace[:]


class SharedCache(Closed):
    def cache(self, kept):
        return self.latest


class MeanOnly(ByTape):
    def inverse(self, var):
        return 1.0


class StatisticsStay(ByTape):
    def follow(self, x):
        pass
