"""Make muscle_dynamics.npz: fibres that balance stretching tendons, and their speeds and forces, by OpenSim.

Run: PYTHONPATH=tests python tests/oracles/make_muscle_dynamics.py. Made with OpenSim 4.6 (pip install opensim): 24 random muscles of
every kind (`slider_muscles.random_muscles`, seed 1), balanced at three lengthening speeds, then away from the balance.
"""

from pathlib import Path

import numpy as np
import opensim

from slider_muscles import KINDS, Slider, lengths, random_muscles

COUNT, SEED = 24, 1
SPEEDS = (0.0, -0.1, 0.15)


def main() -> None:
    opensim.Logger.setLevelString("error")
    arrays = {"speeds": np.array(SPEEDS), "version": np.array(opensim.GetVersionAndDate())}
    for kind in KINDS:
        spec, rng = random_muscles(kind, COUNT, SEED), np.random.default_rng(SEED + 100)
        activation = rng.uniform(0.02, 1.0, COUNT)
        length = lengths(spec, rng.uniform(0.65, 1.4, COUNT), rng.uniform(0.0, 0.06, COUNT))
        slider = Slider(opensim, spec, length)
        balanced = []
        for speed in SPEEDS:
            slider.set(activation, speed)
            balanced.append(slider.equilibrium())
        away = np.random.default_rng(5).uniform(0.7, 1.3, COUNT) * activation
        slider.set(away, 0.1)
        found = {"activation": activation, "length": length, "balanced": np.array(balanced), "away": away, **slider.found()}
        found["optimal_fiber_length"] = np.array([m.optimal_fiber_length for m in spec])
        arrays |= {f"{kind}_{name}": value for name, value in found.items()}
    np.savez_compressed(Path(__file__).with_name("muscle_dynamics.npz"), **arrays)


if __name__ == "__main__":
    main()
