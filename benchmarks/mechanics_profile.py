"""Where XLA spends the time of inverse dynamics without the kernels: what it made of the program, and what each piece costs."""

import collections
import gzip
import json
import re
import tempfile
from pathlib import Path

import jax
import numpy as np
from mechanics_ours import FUNCTIONS, Frames, compiled

from monomsk.model.model import Model

CALLS = 50
TOLD = 12


def explain(model: Model, batch: int) -> None:
    """Print the pieces of the optimized program and the processor's time in them, by kind and one by one."""
    frames = Frames.random(model, batch)
    function, inputs = compiled(FUNCTIONS["monomsk, JAX alone"], "inverse dynamics"), frames.inputs("inverse dynamics", np.float64)
    program = function.lower(model, *inputs).compile()
    lines = _entry(program.as_text())
    cost, seconds = program.cost_analysis(), _seconds_by_piece(function, model, inputs)
    whole = sum(seconds.values())
    print(
        f"\ninverse dynamics by JAX alone, batch {batch}, float64: {len(seconds)} pieces run one after another, {1e3 * whole:.2f} ms a call"
    )
    flops, traffic = cost["flops"], cost["bytes accessed"]
    print(f"by XLA's own count {flops / batch:.0f} operations and {traffic / batch:.0f} bytes to and from memory for a frame;")
    print(f"{1e-9 * flops / whole:.1f} GFLOP/s, {1e-9 * traffic / whole:.1f} GB/s")
    by_kind: dict[str, list[float]] = collections.defaultdict(list)
    for name, value in seconds.items():
        by_kind[_kind(lines.get(name, ""), name)].append(value)
    for kind, values in sorted(by_kind.items(), key=lambda item: -sum(item[1])):
        print(f"{kind:<34}{len(values):>5} pieces {100 * sum(values) / whole:>6.1f} %")
    print("the dearest:")
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:TOLD]:
        line = lines.get(name, "")
        shape = re.search(r"= *\(?([a-z0-9]+\[[0-9,]*\])", line)
        origin = re.search(r'op_name="([^"]*)"', line)
        where = origin.group(1).rpartition("jit(<lambda>)/")[2] if origin else ""
        print(f"  {100 * seconds[name] / whole:>5.1f} %  {name:<32}{shape.group(1) if shape else '':<22}{where}")


def _entry(text: str) -> dict[str, str]:
    """Lines of the main program by the name of what they make."""
    body = text[text.index("\nENTRY") :].splitlines()[1:]
    found = (re.match(r"\s*(?:ROOT )?%?([\w.\-]+) = ", line) for line in body)
    return {match.group(1): line for match, line in zip(found, body, strict=True) if match}


def _kind(line: str, name: str) -> str:
    if "ynn" in name or "ynn" in line.partition("metadata")[0]:
        return "products and sums in a library"
    if re.search(r" dot\(", line) or name.startswith("dot"):
        return "products of matrices"
    if "copy" in name or "transpose" in name or "concatenate" in name or "slice" in name or "pad" in name:
        return "fused, with a copy or a new order"
    return "fused arithmetic and the rest"


def _seconds_by_piece(function: object, model: Model, inputs: tuple[jax.Array, ...]) -> dict[str, float]:
    """Seconds a call in each piece, by JAX's profiler."""
    function(model, *inputs).block_until_ready()
    with tempfile.TemporaryDirectory(prefix="monomsk-profile-") as folder:
        with jax.profiler.trace(folder):
            for _ in range(CALLS):
                function(model, *inputs).block_until_ready()
        path = next(Path(folder).rglob("*.trace.json.gz"))
        events = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    found: dict[str, list[float]] = collections.defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and (name := event.get("args", {}).get("hlo_op")):
            found[name].append(1e-6 * event["dur"])
    # The median: on a busy machine now and then a piece is interrupted.
    return {name: float(np.median(values)) for name, values in found.items()}
