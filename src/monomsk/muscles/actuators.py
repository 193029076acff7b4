"""Motors that do what the muscles leave undone, so that muscle forces and motors together make the motion in OpenSim."""

import numpy as np
from jaxtyping import Float

from monomsk.model.compile import compile_model
from monomsk.model.spec import CoordinateActuator, ModelSpec
from monomsk.types import JointLoads


def actuators(
    spec: ModelSpec, loads: JointLoads, reserves: tuple[str, ...], optimal_force: float
) -> tuple[tuple[CoordinateActuator, ...], Float[np.ndarray, "time actuator"]]:
    """A motor for every coordinate that is free to move, the model's own where there is one, and their forces [N·m, N].

    Motors that the model has besides do nothing.

    Args:
        spec: the body.
        loads: say what must act on the coordinates besides the muscles.
        reserves: coordinates that muscles were asked to move. Motors there are called `<coordinate>_reserve`, those of the root
            `<coordinate>_residual`, others `<coordinate>_actuator`.
        optimal_force: of motors that the model does not have [N·m, N].
    """
    model = compile_model(spec)
    root = {model.coordinate_names[i] for i in model.root}
    own = {actuator.coordinate: actuator for actuator in reversed(spec.actuators)}
    found: list[CoordinateActuator] = []
    for name in loads.coordinates:
        kind = "reserve" if name in reserves else "residual" if name in root else "actuator"
        found.append(own.get(name) or CoordinateActuator(f"{name}_{kind}", name, optimal_force))
    idle = [actuator for actuator in spec.actuators if actuator not in found]
    return (*found, *idle), np.concatenate([loads.remaining, np.zeros((len(loads.time), len(idle)))], axis=1)
