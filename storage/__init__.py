"""Durable state: the SQLite store and the memory store behind `engine.runtime.ports.Store`. Decides nothing."""
