"""How long contracts go on being renewed: the shifted-beta-geometric model of Fader and Hardie.

Each customer leaves at a renewal with a chance of its own, drawn from a beta distribution; so those who stay are the loyal
ones, and one churn rate for all says too little of them. Two parameters by maximum likelihood (J. Interactive Marketing 21
(2007) 76-90), the discounted expected residual lifetime by equation 6 of Marketing Science 29 (2010) 85-93. SciPy does the
mathematics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 20  # customers, of whom at least five left
ALIKE = 10_000  # alpha + beta: beyond it all customers have one chance to leave, and the likelihood is flat


@dataclass(frozen=True)
class Renewals:
    """The fitted model: `alpha` and `beta` of the chance to leave at a renewal, and the log-likelihood."""

    alpha: float
    beta: float
    log_likelihood: float

    def surviving(self, years: ArrayLike) -> np.ndarray:
        """The share still there after so many renewals."""
        from scipy.special import betaln

        at = np.asarray(years, float)
        return np.exp(betaln(self.alpha, self.beta + at) - betaln(self.alpha, self.beta))

    def residual(self, renewal: int, discount: float) -> float:
        """Discounted expected residual lifetime just before the n-th renewal, in years of contract; that renewal counts undiscounted."""
        from scipy.special import hyp2f1

        stays = (self.beta + renewal - 1) / (self.alpha + self.beta + renewal - 1)
        return float(stays * hyp2f1(1, self.beta + renewal, self.alpha + self.beta + renewal, 1 / (1 + discount)))

    def lifetime(self, discount: float) -> float:
        """Discounted expected lifetime of a new customer, in years of contract; the first year counts whole."""
        return 1 + self.residual(1, discount) / (1 + discount)


def fitted(left_at: ArrayLike, stayed: ArrayLike, seen_from: ArrayLike | None = None) -> Renewals | None:
    """The model of customers who left at their n-th renewal (`left_at`, 0 for those still there) or `stayed` through n of them.

    `seen_from` is the number of renewals after which a customer came into sight: who had left by then is in no record, so the
    chance is taken among those still there. None below FEWEST customers or where fewer than five left.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln

    left, kept = np.asarray(left_at, float), np.asarray(stayed, float)
    since = np.zeros(len(left)) if seen_from is None else np.asarray(seen_from, float)
    gone = left > 0
    if len(left) < FEWEST or gone.sum() < 5:
        return None

    def model(place: np.ndarray) -> tuple[float, float]:
        mean, size = 1 / (1 + np.exp(-place[0])), np.exp(place[1])
        return float(mean * size), float((1 - mean) * size)

    def against(place: np.ndarray) -> float:
        a, b = model(place)
        told = np.where(gone, betaln(a + 1, b + np.maximum(left, 1) - 1), betaln(a, b + kept)) - betaln(a, b + since)
        return -float(told.sum())

    bounds = [(-12, 12), (-5, np.log(ALIKE))]
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4_000}
    best = minimize(against, np.array([-1.0, 1.0]), method="Nelder-Mead", bounds=bounds, options=options)
    return Renewals(*model(best.x), -float(best.fun))
