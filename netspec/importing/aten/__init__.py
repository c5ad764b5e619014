"""Programs of `torch.export`, from a file or a live module, as the neutral graph."""
