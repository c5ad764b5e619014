"""A Neural Turing Machine learns to copy: Graves, Wayne & Danihelka (2014), section 4.1, on short sequences.

`python examples/copy_task.py` trains the PyTorch model that netspec generates from `specs/ntm.net`, small. It sees a
few vectors of random bits and a mark, and then has to say them again. The mean error of a bit begins at 0.69, that of
a guess; after the last step it must be below `GOAL`. What the machine says is then shown beside what it should say.
"""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F

import netspec

BITS, LONGEST, BATCH = 4, 5, 32
STEPS, GOAL = 3000, 0.1


def sequences(length, batch=BATCH):
    """Bits to copy, [batch, length, bits], and the input, [batch, 2*length + 1, bits + 1]: bits, a mark, silence."""
    bits = torch.randint(0, 2, (batch, length, BITS)).float()
    given = torch.zeros(batch, 2 * length + 1, BITS + 1)
    given[:, :length, :BITS] = bits
    given[:, length, BITS] = 1.0
    return bits, given


def train(steps=STEPS, seed=0, show=print):
    """A trained model, and the mean error of a bit over the last hundred steps."""
    torch.manual_seed(seed)
    model = netspec.load("zoo:ntm", units=32, places=16, width=8, bits=BITS).torch()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    for step in range(1, steps + 1):
        length = int(torch.randint(1, LONGEST + 1, ()))
        bits, given = sequences(length)
        loss = F.binary_cross_entropy(model(given)[:, -length:], bits)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 100 == 0:
            show(f"step {step:5}  loss {sum(losses[-100:]) / 100:.3f}")
    recent = losses[-100:]
    return model, sum(recent) / len(recent)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps of training (default: {STEPS})")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default: 0)")
    given = parser.parse_args()
    model, loss = train(given.steps, given.seed)
    bits, shown = sequences(LONGEST, batch=1)
    with torch.no_grad():
        said = model(shown)[0, -LONGEST:]
    print("asked for, and said:")
    for wanted, got in zip(bits[0], said):
        print(" ", *wanted.int().tolist(), " ", *got.round().int().tolist())
    print(f"loss {loss:.3f}, to be below {GOAL}")
    return int(loss > GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
