"""The double pendulum that `pendulum_swing.yaml` swings: one step, on PyTensor variables."""

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

GRAVITY, FRICTION, STRENGTH = 9.81, 0.5, 10.0  # arms of length and mass 1
STEP = 0.05  # seconds


def double_pendulum(state: Variable, output: Variable) -> Variable:
    """Return the state a twentieth of a second later; the equations are those of `data/pendulum.py`.

    Speeds first and angles with the new speeds (symplectic Euler), which neither gains nor loses energy by itself.

    Parameters
    ----------
    state : (B, 4)
        Angles from hanging down and speeds of both arms: a1, w1, a2, w2.
    output : (B, 1)
        The torque at the first joint, in tens of newton metres.
    """
    a1, w1, a2, w2 = state[:, 0], state[:, 1], state[:, 2], state[:, 3]
    sine, cosine = pt.sin(a1 - a2), pt.cos(a1 - a2)
    p = STRENGTH * output[:, 0] - w2**2 * sine - 2 * GRAVITY * pt.sin(a1) - FRICTION * w1
    q = w1**2 * sine - GRAVITY * pt.sin(a2) - FRICTION * w2
    bent = 1 + sine**2
    w1 = w1 + STEP * (p - q * cosine) / bent
    w2 = w2 + STEP * (2 * q - p * cosine) / bent
    return pt.stack([a1 + STEP * w1, w1, a2 + STEP * w2, w2], axis=1)
