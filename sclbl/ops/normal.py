"""The normal distribution's quantile in standard operators, for files."""

from __future__ import annotations

import math

from sclbl.ops.record import Body

# Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics
# 37 (1988): numerators and denominators for the middle, the tails and the far tails.
_MIDDLE = (
    (
        *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3),
        *(1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4),
        *(3.3430575583588128105e4, 2.5090809287301226727e3),
    ),
    (
        *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
        *(2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4),
        5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
        *(3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1),
        *(2.27238449892691845833e-2, 7.74545014278341407640e-4),
    ),
    (
        *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1),
        *(1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4),
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
        *(2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3),
        *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
    ),
    (
        *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2),
        *(7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7),
        2.04426310338993978564e-15,
    ),
)


def ppf_body(b: Body) -> str:
    """Write the inverse of the normal distribution function: infinite at 0 and 1."""

    def ratio(parts: tuple[tuple[float, ...], tuple[float, ...]], r: str) -> str:
        sums = []
        for coefficients in parts:
            total = b.number(coefficients[-1])
            for c in reversed(coefficients[:-1]):
                total = b.op("Add", b.op("Mul", total, r), b.number(c))
            sums.append(total)
        return b.op("Div", *sums)

    q = b.op("Sub", "x", b.number(0.5))
    middle = ratio(_MIDDLE, b.op("Sub", b.number(0.180625), b.op("Mul", q, q)))
    low = b.op("Min", "x", b.op("Sub", b.number(1), "x"))
    r = b.op("Sqrt", b.op("Neg", b.op("Log", low)))
    tail = ratio(_TAIL, b.op("Sub", r, b.number(1.6)))
    far = ratio(_FAR_TAIL, b.op("Sub", r, b.number(5)))
    tail = b.op("Where", b.op("LessOrEqual", r, b.number(5)), tail, far)
    # At p = 0 and p = 1 the ratio is inf/inf; the quantile is infinite.
    tail = b.op("Where", b.op("Equal", low, b.number(0)), b.number(math.inf), tail)
    tail = b.op("Where", b.op("Less", q, b.number(0)), b.op("Neg", tail), tail)
    inside = b.op("LessOrEqual", b.op("Abs", q), b.number(0.425))
    return b.op("Where", inside, b.op("Mul", q, middle), tail)
