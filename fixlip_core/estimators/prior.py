"""The prior over a tower's coefficients: what a kernel on coalitions is made of."""

from __future__ import annotations

from dataclasses import dataclass

from fixlip_core.estimators.kernels import outer, pair_kernel, product_kernel, single_kernel
from fixlip_core.types import FloatArray

__all__ = ["Prior"]


@dataclass(frozen=True, slots=True)
class Prior:
    """Prior variances of the coefficients, relative to one another, and the kernel they make.

    Attributes:
        p: probability of presence.
        singles: (n,) variances that the first-order kernel gives.
        pairs: (n, n) variances that the second-order kernel gives, symmetric, zero diagonal.
        rho: (n,) decays of the product kernel.
        product: weight of the product kernel, which has a part in every order.
        noise: variance of what the kernel does not explain.
    """

    p: float
    singles: FloatArray
    pairs: FloatArray
    rho: FloatArray
    product: float
    noise: float

    def kernel(
        self, chi: FloatArray, other: FloatArray | None = None, *, pairs: FloatArray | None = None
    ) -> FloatArray:
        """(m, m') covariance of the values at coalitions ``chi`` with those at ``other``, without the noise.

        Args:
            chi: (m, n) standardised coalitions.
            other: (m', n) standardised coalitions, or None for ``chi`` itself.
            pairs: (m, m') the second-order kernel's part where it is known already.
        """
        total = product_kernel(chi, self.rho, self.p, other)
        total *= self.product
        total += single_kernel(chi, self.singles, other)
        total += pair_kernel(chi, self.pairs, other) if pairs is None else pairs
        return total

    @property
    def single_variances(self) -> FloatArray:
        """(n,) prior variances of the first-order coefficients, all kernels together."""
        return self.singles + self.product * self.rho

    @property
    def pair_variances(self) -> FloatArray:
        """(n, n) prior variances of the pairs' coefficients, all kernels together; zero diagonal."""
        return self.pairs + self.product * outer(self.rho)
