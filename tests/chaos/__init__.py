"""Proves 0 lost and 0 doubled effects by killing: see README.md beside this file."""
