"""Reports made of nothing but blurred pictures: what the page looks like, without training anything."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from skimage import data

from fieldlens.analysis.detail.windows import Place
from fieldlens.report import Chapter, Curves, Film, Frame, KeptNetwork, Learnt, Overlay, Report, RunPart, Spectra

RGB = UInt8[np.ndarray, "h w 3"]

BANDS_PX = {"2-4 px": 2, "4-8 px": 4, "8-16 px": 8, "16-32 px": 16, "32-64 px": 32}


def photograph(height: int = 256, width: int = 256) -> RGB:
    """The astronaut, cut to the given shape from its middle."""
    scale = max(height, width) / 512
    picture = cv2.resize(data.astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def log_steps(count: int, last: int = 3000) -> list[int]:
    """About `count` steps from 0 to `last`, evenly spaced by ratio."""
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


def blurred(target: RGB, sigma_px: float) -> RGB:
    """What a fit that has got down to `sigma_px` looks like."""
    return cv2.GaussianBlur(target, (0, 0), sigma_px).reshape(target.shape) if sigma_px > 0.2 else target.copy()


def psnr_db(target: RGB, image: RGB) -> float:
    error = np.mean((target.astype(float) - image.astype(float)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def run(
    label: str,
    target: RGB,
    *,
    end_sigma_px: float,
    frame_count: int = 50,
    heldout: bool = True,
    density: float | None = 0.3,
) -> RunPart:
    """A fake run whose blur shrinks from 40 px to `end_sigma_px`; no `density`: no creases."""
    steps = log_steps(frame_count)
    progress = np.log1p(steps) / np.log1p(steps[-1])
    sigmas = 40.0 ** (1 - progress) * end_sigma_px**progress
    images = [blurred(target, sigma) for sigma in sigmas]
    frames = [
        Frame(step=step, seconds=step / 90, psnr_db=psnr_db(target, image), image=image)
        for step, image in zip(steps, images, strict=True)
    ]
    kept = {band: [float(np.exp(-((1.6 * sigma / px) ** 2))) for sigma in sigmas] for band, px in BANDS_PX.items()}
    quality: list[float | None] = [frame.psnr_db for frame in frames]
    below: list[float | None] = [
        frame.psnr_db - 0.4 - 1.2 * share for frame, share in zip(frames, progress, strict=True)
    ]
    curves = Curves(
        step=steps, psnr_db=quality, heldout_psnr_db=below if heldout else [None] * len(steps), energy_kept=kept
    )
    final = images[-1]
    learnt = [Learnt(band, *[(steps[px % len(steps)], None)] * 2) for band, px in BANDS_PX.items()]
    return RunPart(
        label=label,
        network="4x256 relu" if density is not None else "4x256 sine",
        frames=frames,
        final=final,
        overlays=overlays(target, final, density),
        curves=curves,
        numbers={
            "psnr_db": quality[-1],
            "ssim": 0.5 + 0.45 / (1 + end_sigma_px),
            "heldout_psnr_db": below[-1] if heldout else None,
            **{f"energy_kept {band}": values[-1] for band, values in kept.items()},
            "seconds": 33.3,
            "samples_per_s": 812345.0 / (1 + end_sigma_px),
            "crossings_per_pixel": density,
            "dead_neurons": None if density is None else 118,
            "error_against_creases": None if density is None else "−0.41 (−0.52 to −0.29)",
        },
        verdict=[
            f"With {label}, missing detail goes with sparse creases: where density is low, more is missing at 2–4 px.",
            "The typical pixel step crosses 0.3 creases, fewer than the finest texture would need.",
        ],
        explanation={
            "primary": {
                "density": "coarea",
                "band": "2-4 px",
                "statistic": "partial rank correlation with residual energy given target energy",
                "estimate": -0.41,
                "interval": {"low": -0.52, "high": -0.29, "level": 0.95, "resamples": 1000},
            },
            "creases": {"dead_neurons_by_layer": [20, 35, 31, 32]},
        },
        spectra=spectra(end_sigma_px),
        learnt=learnt,
    )


def spectra(sigma_px: float) -> Spectra:
    """Of a picture whose power falls as 1 / f^2 and of its blurred copy."""
    frequency = np.geomspace(1 / 256, 0.7, 40)
    gain = np.exp(-2 * np.square(np.pi * sigma_px * frequency))
    target = -20 * np.log10(frequency) - 90
    powers = {"target": target, "reconstruction": target + 20 * np.log10(np.maximum(gain, 1e-3))}
    residual = target + 20 * np.log10(np.maximum(1 - gain, 1e-3))
    return Spectra(
        frequency.tolist(),
        {name: values.tolist() for name, values in (powers | {"residual": residual}).items()},
        gain.tolist(),
        rounding_db=-100.0,
        resolved={"ring correlation 1/7": 0.25, "ring correlation 1/2": 0.125},
    )


def overlays(target: RGB, final: RGB, density: float | None) -> list[Overlay]:
    """Colour maps that look like the real ones."""
    error = np.abs(target.astype(float) - final.astype(float)).mean(axis=2) / 255
    rows, columns = np.indices(error.shape)
    creases = (np.hypot(rows - 40, columns) % 17 < 2) | ((rows + 2 * columns) % 41 < 2)
    maps = [
        Overlay(
            "density",
            coloured(0.2 + 0.6 * cv2.blur(creases.astype(float), (3, 3)).reshape(error.shape)),
            "Crossings per pixel step, all layers.",
            legend(),
        ),
        Overlay("error", coloured(error * 4), "RMS error over channels, 0 to 0.25 of the peak."),
        Overlay(
            "missing",
            coloured(cv2.blur(error * 6, (9, 9)).reshape(error.shape)),
            "Share of the 2–4 px energy missing, 0 to 1.5.",
        ),
    ]
    return maps[1:] if density is None else maps


def coloured(values: Float[np.ndarray, "h w"]) -> RGB:
    levels = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS).reshape(*values.shape, 3)[..., ::-1])


def legend() -> UInt8[np.ndarray, "legend_h legend_w 3"]:
    """A bar from 0.1 to 100 with its ends named."""
    image = np.full((44, 264, 3), 24, np.uint8)
    image[4:22, 12:252] = coloured(np.tile(np.linspace(0, 1, 240), (18, 1)))
    for text, x in (("0.1", 8), ("1", 88), ("10", 164), ("100", 234)):
        cv2.putText(image, text, (x, 38), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (220, 220, 220), 1, cv2.LINE_AA)
    return image


def report_of(runs: Sequence[RunPart], target: RGB, title: str = "astronaut, 256×256") -> Report:
    return Report(
        title=title,
        lead=runs[0].verdict[0],
        chapters=[Chapter("Why, and what would help", runs[0].verdict[1:], "density", [Place(32, 64, 16)])],
        target=target,
        runs=runs,
        protocol={
            "scene": "astronaut",
            "batch": "8192",
            "steps": "3000",
            "seed": "0",
            "learning rate": "1e-3 for fourier:8, 2e-3 for raw:-1..1; chosen by the search in docs/learning-rates.md",
            "holdout": "checkerboard: pixels with an even row + column are trained, the others scored",
        },
        notes=["8-bit sRGB as stored, values in [0, 1].", "Reduced from 512×512 to 256×256 by area averaging."],
        films=[Film("Side by side", "compare.mp4", None)],
    )


def two_runs() -> Report:
    target = photograph()
    runs = [run("raw:-1..1", target, end_sigma_px=3.2), run("fourier:8", target, end_sigma_px=0.9, density=14.2)]
    report = report_of(runs, target)
    return replace(
        report,
        lead="fourier:8 recovers 8 dB more than raw:-1..1 under the same protocol.",
        chapters=[
            Chapter("Why", ["In raw:-1..1 errors are larger where there are fewer creases.", "More octaves help."]),
        ],
    )


def single_run() -> Report:
    target = photograph(192, 256)
    alone = report_of([run("fourier:8", target, end_sigma_px=0.8)], target)
    return replace(alone, films=[Film("How it was learnt", "progress.mp4", b"no film")])


def five_runs() -> Report:
    target = photograph(128, 128)
    words = {
        "raw": 4.0,
        "fourier:4": 2.0,
        "fourier:8": 0.9,
        "gaussian:10,features=256": 0.8,
        "hashgrid:16,features=2,log2_size=19": 0.5,
    }
    return report_of(
        [run(word, target, end_sigma_px=s, frame_count=12, heldout=False) for word, s in words.items()], target
    )


def without_density() -> Report:
    target = photograph(64, 64)
    words = {"raw:-1..1": None, "fourier:6": 2.5}
    runs = [run(word, target, end_sigma_px=1.0, frame_count=8, density=density) for word, density in words.items()]
    return report_of(runs, target, title="a network of sines")


def thin_picture() -> Report:
    target = photograph(64, 64)[:1]
    return report_of([run("raw", target, end_sigma_px=1.0, frame_count=6)], target, title="1×64")


def microscope_report(networks: Sequence[KeptNetwork], height: int = 64, width: int = 64) -> Report:
    """A page that carries networks."""
    target = photograph(height, width)
    part = replace(run("fourier:3", target, end_sigma_px=1.0, frame_count=4), networks=networks)
    return report_of([part], target, title="a network under a lens")
