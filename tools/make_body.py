"""Make the body that ships with monomsk from the figures of two published models.

    python tools/make_body.py RajagopalLaiUhlrich2023.osim LaiArnoldModified2017_contacts.osim

The first gives everything but the contact spheres, the second those. The result goes to src/monomsk/data/body/.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from monomsk.io import osim_read, osim_write
from monomsk.model.spec import ModelSpec

TARGET = Path(__file__).resolve().parents[1] / "src/monomsk/data/body/monomsk_body.osim"

CREDITS = (
    "Written by monomsk (Apache-2.0) from the figures of RajagopalLaiUhlrich2023 (Rajagopal 2016, MIT; Lai 2017; "
    "Uhlrich 2022, Apache-2.0; fibre damping by P. van den Bos after Millard 2013) and, for the foot contact spheres, of OpenCap "
    "(Uhlrich 2023, Apache-2.0)."
)
PUBLICATIONS = (
    "Rajagopal A et al. (2016) IEEE Trans Biomed Eng 63:2068-2079. Lai AKM et al. (2017) Ann Biomed Eng 45:2762-2774. "
    "Uhlrich SD et al. (2022) Sci Rep 12:9842. Uhlrich SD et al. (2023) PLoS Comput Biol 19:e1011462."
)


def merge(published: ModelSpec, contacts: ModelSpec) -> ModelSpec:
    """The published body with the contact spheres of the other, switched off in OpenSim, under our name and credits."""
    spheres = tuple(replace(contact, applied=False) for contact in contacts.contacts)
    return replace(published, name="monomsk_body", contacts=spheres, credits=CREDITS, publications=PUBLICATIONS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("published", type=Path)
    parser.add_argument("contacts", type=Path)
    arguments = parser.parse_args()
    body = merge(osim_read.read(arguments.published), osim_read.read(arguments.contacts))
    osim_write.write(TARGET, body)
    print(f"{TARGET}: {len(body.bodies)} bodies, {len(body.coordinates)} coordinates, {len(body.muscles)} muscles, {body.mass:.3f} kg")


if __name__ == "__main__":
    main()
