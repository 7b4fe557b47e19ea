"""Recordings, video, hashes, comparison: each metric with its definition, units and range.

Pictures are `(height, width, 4) uint8 RGBA`, top-down; sound is `(n, channels) int16`. Heavy libraries (av, numpy, PIL)
are imported inside the functions that need them: a run that is all cached must not pay for them.
"""
