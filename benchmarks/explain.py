"""What an explanation's maps cost, in fp32 forward passes over the same pixels, and the memory they take.

    python -m benchmarks.explain [--quick]

A 4x256 network with fourier:8 on 256x256 pixels (--quick: 128x128) of a picture of noise, in which every octave has
detail. The speed of detail is that of all octaves together, and that of the finest alone. Progress is the gradient of
the loss over all pixels, the movement of each by that step, and its parts by octave. Runs are interleaved and their
medians compared. The forward pass is the field itself in chunks of the size that maps use.

`explain_seconds` is what the default fit of a photograph of 512x512 pixels (--quick: at most 128) spends on explaining,
after a few of its steps.
"""

import argparse
import time

import numpy as np
import torch

from benchmarks.measure import interleaved_medians, peak_mb_above_now, print_json
from fieldlens.analysis import detail_speed, loss_step, movement, octave_details, octave_progress
from fieldlens.analysis.networks.sampling import centre_chunks, chunk_points
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.configs.run import FitConfig, Target
from fieldlens.fields import build
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.studies.subjects.choice import subject_of

STEPS = 60
"""Of the fit that is explained: enough that each reason occurs."""


def main() -> None:
    parser = argparse.ArgumentParser(description="What an explanation's maps cost, in fp32 forward passes.")
    parser.add_argument("--quick", action="store_true", help="128x128 pixels and three rounds")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default="4x256")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    side, rounds = (128, 3) if args.quick else (256, 5)

    network = parse_network(args.network)
    field = build(parse_encoding(args.encoding), network, 2, 3, torch.Generator().manual_seed(0))
    noise = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    details = octave_details(noise)

    @torch.inference_mode()
    def forward() -> None:
        for _, x in centre_chunks(side, side, 1, chunk_points(network.width), field.device):
            field(x)

    def progress() -> None:
        moved = movement(field, side, side, loss_step(field, noise))
        for _ in octave_progress(noise, moved):
            pass

    forward()  # what torch loads with its first product is not the maps'
    peak_mb = peak_mb_above_now(lambda: detail_speed(field, details))
    maps = {
        "speed": lambda: detail_speed(field, details),
        "speed_finest": lambda: detail_speed(field, details[:1]),
        "progress": progress,
    }
    seconds = interleaved_medians({"forward": forward, **maps}, rounds)
    for name, value in seconds.items():
        print(f"{name:>13} {value:8.3f} s")
    print_json(
        {f"{name}_forward_passes": seconds[name] / seconds["forward"] for name in maps}
        | {
            "speed_peak_mb": peak_mb,
            "explain_seconds": explain_seconds(128 if args.quick else 512),
            "octaves": len(details),
            "forward_seconds": seconds["forward"],
            "pixels": side * side,
            "encoding": args.encoding,
            "network": args.network,
            "threads": args.threads,
        }
    )


def explain_seconds(side: int) -> float:
    """Seconds that a default fit of a photograph spends on explaining what it lacks."""
    config = FitConfig(scene="astronaut", target=Target(max_side=side))
    scene = load(config.scene, config.target)
    plan = plan_of(config, scene)
    subject, state = subject_of(scene), initial_state(config, scene, plan.device)
    for moment in fit(state, scene, plan, [STEPS]):
        if moment.scheduled:
            break
    finished = subject.finish(state.field, lambda _: None)
    started = time.perf_counter()
    subject.explain(state, plan, finished, progress=lambda _: None)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
