"""What distinct patterns and Hamming means cost, in fp32 forward passes over the same pixels, and the memory they take.

    python -m benchmarks.patterns [--quick]

A 4x512 network with raw coordinates on 512x512 pixels (--quick: 128x128). Runs are interleaved and their medians
compared. The forward pass is the field itself in chunks of the size that the measurements use. `forward_passes` are of
distinct patterns, the others of local, global and opposite Hamming means, without and with their map; `peak_mb` of all.
"""

import argparse

import torch

from benchmarks.measure import interleaved_medians, peak_mb_above_now, print_json
from fieldlens.analysis import distinct_patterns, hamming_means, relu_network
from fieldlens.analysis.networks.sampling import chunk_points, image_points, pixel_centres
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.fields import build


def main() -> None:
    parser = argparse.ArgumentParser(description="What distinct patterns and Hamming means cost, in forward passes.")
    parser.add_argument("--quick", action="store_true", help="128x128 pixels and three rounds")
    parser.add_argument("--encoding", default="raw")
    parser.add_argument("--network", default="4x512")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    side, rounds = (128, 3) if args.quick else (512, 5)

    network_config = parse_network(args.network)
    field = build(parse_encoding(args.encoding), network_config, 2, 3, torch.Generator().manual_seed(0))
    network = relu_network(field)
    chunk = chunk_points(network_config.width)
    centres = pixel_centres(side, 1)
    pixels = image_points(centres, centres, side, torch.device("cpu"))

    @torch.inference_mode()
    def forward() -> None:
        for x in pixels.split(chunk):
            field(x)

    measured = {
        "distinct": lambda: distinct_patterns(network, side, side),
        "hamming": lambda: hamming_means(network, side, side),
        "hamming_map": lambda: hamming_means(network, side, side, sliding=True),
    }
    peak_mb = peak_mb_above_now(lambda: [measure() for measure in measured.values()])
    seconds = interleaved_medians({"forward": forward, **measured}, rounds)
    for name, value in seconds.items():
        print(f"{name:>11} {value:8.3f} s")
    print_json(
        {
            "forward_passes": seconds["distinct"] / seconds["forward"],
            "peak_mb": peak_mb,
            "hamming_forward_passes": seconds["hamming"] / seconds["forward"],
            "hamming_map_forward_passes": seconds["hamming_map"] / seconds["forward"],
            "forward_seconds": seconds["forward"],
            "pixels": side * side,
            "encoding": args.encoding,
            "network": args.network,
            "threads": args.threads,
        }
    )


if __name__ == "__main__":
    main()
