"""Analyse a network trained elsewhere: `python examples/analyse_your_network.py [STEPS]`."""

import sys

import torch
from torch import nn

from fieldlens.analysis import cells, confusion, crease_density, crossings, explain, kernel, relu_network
from fieldlens.scenes.load import load


def waves(x: torch.Tensor) -> torch.Tensor:  # any function of coordinates (n, 2), in torch's operations
    angle = (torch.pi * x[:, :, None] * 2.0 ** torch.arange(6)).flatten(1)
    return torch.cat([angle.sin(), angle.cos()], 1)


target = load("astronaut").views()[0].target(256, 256)  # (height, width, channels) in [0, 1]
height, width, _ = target.shape
pixels = (torch.cartesian_prod(torch.arange(height), torch.arange(width)).flip(1) + 0.5) / max(height, width)  # x, y
values = torch.from_numpy(target).flatten(0, 1)
torch.manual_seed(0)
for name, encode in (("waves", waves), ("raw coordinates", None)):
    inputs = encode(pixels) if encode else pixels
    model = nn.Sequential(nn.Linear(inputs.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(int((sys.argv[1:] or [300])[0])):
        some = torch.randint(len(pixels), (2048,))
        model.zero_grad()
        nn.functional.mse_loss(model(inputs[some]), values[some]).backward()
        optimizer.step()
    network, few = relu_network(model, encode), torch.randperm(len(pixels))[:512]
    print(f"\n{name}: {crossings(network, height, width).mean_per_pixel.mean():.2f} crossings per pixel")
    print(
        f"half width of the confusion: {confusion(network, pixels[few], values[few]).summary().cosine.half_width:.2f}"
    )
    print(f"effective rank of the kernel: {kernel(network, pixels[few], 'luma').entropy_rank:.1f} of {len(few)} pixels")
    density = crease_density(network, height, width).length.sum(0)
    drawn = model(inputs).detach().reshape(target.shape).numpy()
    print(*explain(target, drawn, {"coarea": density}, seed=0).verdict.sentences, sep="\n")
print(f"\n{cells(network).counts.count} cells with raw coordinates")
