"""Transcripts at work: played against the flows of a folder, and written from a conversation that was had."""
