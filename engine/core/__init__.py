"""The pure core: no I/O, no clock, no random, no log, no async. It decides; the runtime does."""
