"""What a pair of pixels costs in gradient confusion, against two backward passes per pair.

    python -m benchmarks.confusion [--quick]

The network is 4x512 with fourier:8. The rival is the usual loop: for each pair, the loss gradient of either point by
autograd and the cosine of the two. Ours is `fieldlens.analysis.gradients.confusion` over all distinct pairs of 2500
points (--quick: 500), everything from the points to the cosines of every pair. Rounds are interleaved and their medians
compared. The largest disagreement of the two, over the pairs that the loop goes through, is in millionths of a cosine.
"""

import argparse

import torch
from torch import Tensor

from benchmarks.measure import interleaved_medians, peak_mb_above_now, print_json
from fieldlens.analysis import Confusion, confusion
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.fields import Field, build

LOOP_PAIRS = 20
"""Of one round of the loop: it takes the same time for every pair."""


def gradient(field: Field, point: Tensor, target: Tensor) -> Tensor:
    """The loss gradient of one point by all parameters, as one vector."""
    loss = torch.nn.functional.mse_loss(field(point[None]), target[None])
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(field.parameters()))])


def looped(field: Field, points: Tensor, targets: Tensor, pairs: int) -> Tensor:
    """Cosines of the first point with the next ones, two backward passes each."""
    return torch.stack(
        [
            torch.nn.functional.cosine_similarity(
                gradient(field, points[0], targets[0]), gradient(field, points[j], targets[j]), dim=0
            )
            for j in range(1, pairs + 1)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What a pair of pixels costs in gradient confusion.")
    parser.add_argument("--quick", action="store_true", help="500 points and three rounds")
    parser.add_argument("--encoding", default="fourier:8")
    parser.add_argument("--network", default="4x512")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    n, rounds = (500, 3) if args.quick else (2500, 5)

    generator = torch.Generator().manual_seed(0)
    field = build(parse_encoding(args.encoding), parse_network(args.network), 2, 3, generator)
    points, targets = torch.rand(n, 2, generator=generator), torch.rand(n, 3, generator=generator)

    def ours() -> Confusion:
        return confusion(field, points, targets)

    peak_mb = peak_mb_above_now(ours)
    expected = looped(field, points, targets, LOOP_PAIRS)
    error = (torch.from_numpy(ours().cosine[:LOOP_PAIRS]) - expected).abs().max()
    seconds = interleaved_medians({"loop": lambda: looped(field, points, targets, LOOP_PAIRS), "ours": ours}, rounds)
    pairs = n * (n - 1) // 2
    of_loop, of_ours = seconds["loop"] / LOOP_PAIRS, seconds["ours"] / pairs
    print(f"loop {of_loop * 1e3:8.2f} ms per pair")
    print(f"ours {of_ours * 1e9:8.0f} ns per pair, {seconds['ours']:.2f} s in all")
    print_json(
        {
            "ratio_per_pair": of_loop / of_ours,
            "peak_mb": peak_mb,
            "loop_ms_per_pair": of_loop * 1e3,
            "ours_ns_per_pair": of_ours * 1e9,
            "ours_seconds": seconds["ours"],
            "largest_cosine_error_ppm": float(error) * 1e6,
            "points": n,
            "pairs": pairs,
            "encoding": args.encoding,
            "network": args.network,
            "threads": args.threads,
        }
    )


if __name__ == "__main__":
    main()
