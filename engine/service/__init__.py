"""What other programs speak to: signals by HTTP."""
