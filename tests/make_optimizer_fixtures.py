"""Writes fixtures/optimizers.npz: parameters as torch's optimisers move them, for tests/test_optimizers.py.

Run it where torch is installed: `python tests/make_optimizer_fixtures.py`. The tests need only what it wrote.
"""

from pathlib import Path

import numpy as np
import torch

STEPS, SIZE, ROWS, STEP_SIZE, MAX_NORM, L1, L2, DECAY = 20, 6, 8, 0.05, 0.7, 0.02, 0.1, 0.3
BETAS = 0.875, 0.9921875
OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, STEP_SIZE),
    "momentum": lambda params: torch.optim.SGD(params, STEP_SIZE, momentum=0.9),
    "nesterov": lambda params: torch.optim.SGD(params, STEP_SIZE, momentum=0.9, nesterov=True),
    "rmsprop": lambda params: torch.optim.RMSprop(params, STEP_SIZE),
    "adam": lambda params: torch.optim.Adam(params, STEP_SIZE),
    "adamw": lambda params: torch.optim.AdamW(params, STEP_SIZE, weight_decay=DECAY),
    # these betas are float32 numbers themselves: nothing is rounded but what is computed
    "adam-exact": lambda params: torch.optim.Adam(params, STEP_SIZE, BETAS),
    "adamw-exact": lambda params: torch.optim.AdamW(params, STEP_SIZE, BETAS, weight_decay=DECAY),
}


def main() -> None:
    """For each optimiser its deltas on given directions, and a regression: plain, clipped and penalised."""
    rng = np.random.default_rng(2026)
    directions = rng.normal(size=(STEPS, SIZE)) * 10.0 ** rng.integers(-2, 3, size=(STEPS, 1))
    inputs, targets = rng.normal(size=(STEPS, ROWS, SIZE)), rng.normal(size=(STEPS, ROWS, 1))
    start = rng.normal(size=SIZE)
    written = {"directions": directions, "inputs": inputs, "targets": targets, "start": start}
    for name, make in OPTIMIZERS.items():
        parameters = torch.tensor(start, requires_grad=True)
        optimizer, path = make([parameters]), []
        for direction in directions:
            parameters.grad = torch.tensor(-direction)
            optimizer.step()
            path.append(parameters.detach().numpy().copy())
        written[f"{name}/given"] = np.array(path)
        for kind in ("plain", "clipped", "penalised"):
            parameters = torch.tensor(start, requires_grad=True)
            optimizer, path = make([parameters]), []
            for x, y in zip(inputs, targets, strict=True):
                optimizer.zero_grad()
                loss = ((torch.tensor(x) @ parameters[:, None] - torch.tensor(y)) ** 2).mean()
                if kind == "penalised":
                    loss = loss + L1 * parameters.abs().sum() + 0.5 * L2 * (parameters**2).sum()
                loss.backward()
                if kind != "plain":
                    torch.nn.utils.clip_grad_norm_([parameters], MAX_NORM)
                optimizer.step()
                path.append(parameters.detach().numpy().copy())
            written[f"{name}/{kind}"] = np.array(path)
    np.savez_compressed(Path(__file__).parent / "fixtures" / "optimizers.npz", **written)


if __name__ == "__main__":
    main()
