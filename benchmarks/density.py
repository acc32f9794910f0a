"""What crease maps cost, in fp32 forward passes over the same pixels, and the memory they take.

    python -m benchmarks.density [--quick]

A 4x512 network with fourier:8 on 512x512 pixels (--quick: 128x128), one sample a pixel. Runs are interleaved and their
medians compared. The forward pass is the field itself in chunks of the size that the maps use.
"""

import argparse

import torch

from benchmarks.measure import interleaved_medians, peak_mb_above_now, print_json
from fieldlens.analysis import crease_density, crossings, relu_network
from fieldlens.analysis.networks.sampling import chunk_points, image_points
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.fields import build


def main() -> None:
    parser = argparse.ArgumentParser(description="What crease maps cost, in fp32 forward passes.")
    parser.add_argument("--quick", action="store_true", help="128x128 pixels and three rounds")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default="4x512")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    side, rounds = (128, 3) if args.quick else (512, 5)

    network_config = parse_network(args.network)
    field = build(parse_encoding(args.encoding), network_config, 2, 3, torch.Generator().manual_seed(0))
    network = relu_network(field)
    chunk = chunk_points(network_config.width)
    centres = torch.arange(side, dtype=torch.float64) + 0.5
    pixels = image_points(centres, centres, side, torch.device("cpu"))

    @torch.inference_mode()
    def forward() -> None:
        for x in pixels.split(chunk):
            field(x)

    maps = {
        "crossings": lambda: crossings(network, side, side),
        "coarea": lambda: crease_density(network, side, side),
        "bend": lambda: crease_density(network, side, side, bend=True),
    }
    peak_mb = peak_mb_above_now(lambda: [draw() for draw in maps.values()])
    seconds = interleaved_medians({"forward": forward, **maps}, rounds)
    for name, value in seconds.items():
        print(f"{name:>9} {value:8.3f} s")
    print_json(
        {f"{name}_forward_passes": seconds[name] / seconds["forward"] for name in maps}
        | {
            "peak_mb": peak_mb,
            "forward_seconds": seconds["forward"],
            "pixels": side * side,
            "encoding": args.encoding,
            "network": args.network,
            "threads": args.threads,
        }
    )


if __name__ == "__main__":
    main()
