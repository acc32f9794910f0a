"""Surfaces exported of radiance fields: how far they are from those that were photographed, by the level of density.

    python -m benchmarks.export [--quick]

`halving_steps` is in how many steps of a ray a density of the level stops half of its light; `chamfer_percent` is the
mean distance from the exported surface to the demo's and back, in percent of the diagonal of the demo's box. A field is
trained for three minutes, after which it is clear of fog.
"""

import argparse
import math
from dataclasses import replace

from benchmarks.measure import print_json
from fieldlens.analysis.creases.surface import compare_surfaces, extract_surface
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Training
from fieldlens.configs.space import Space
from fieldlens.fields import RadianceField
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.demos import DEMOS, Demo, photographed
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.surfaces import joined
from fieldlens.studies.subjects.photographs import HALVING, outside_of

SCENES = ("solids", "teapot", "lattice")
HALVINGS = (1, 2, 4, 8, 16)
SECONDS = 180.0


def fitted(demo: Demo, seconds: float) -> tuple[PosedScene, RadianceField]:
    """A field of the default kind, trained so long."""
    scene = PosedScene(photographed(demo), Space())
    config = FitConfig(f"demo:{demo.name}", training=Training(seconds=seconds), encoding=Fourier(), network=Network())
    plan = plan_of(config, scene)
    state = initial_state(config, scene, plan.device)
    for _ in fit(state, scene, plan, snapshot_steps=()):
        pass
    return scene, state.field


def surfaces_of(demo: Demo) -> Mesh:
    """What is photographed, as one mesh."""
    whole = joined([replace(surface, normals=None) for surface in demo.surfaces()])
    return Mesh(whole.vertices, whole.triangles)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes of training")
    args = parser.parse_args()
    rows = []
    for name in SCENES[:1] if args.quick else SCENES:
        scene, field = fitted(DEMOS[name], 5 if args.quick else SECONDS)
        truth, bounds = surfaces_of(DEMOS[name]), scene.capture.bounds
        for steps in HALVINGS:
            level = outside_of(field, math.log(2) / (steps * scene.step_length))
            found = extract_surface(level, 64 if args.quick else 128)
            if not len(found.triangles):
                continue
            agreement = compare_surfaces(replace(found, vertices=bounds.to_world(found.vertices)), truth)
            rows.append(
                {
                    "scene": name,
                    "halving_steps": steps,
                    "chamfer_percent": 100 * agreement.chamfer,
                    "normal_consistency": agreement.normal_consistency,
                }
            )
    print_json({"levels": rows, "default_halving_steps": HALVING})


if __name__ == "__main__":
    main()
