"""Stepgram's engine: YAML flows become state machines that customers walk.

`core` decides and is pure, `runtime` does, `channels` are the edge, `app` puts them together.
"""
