"""An independent judge for homebrew: an NRO on an emulated CPU (unicorn) with a small system of its own around it.

It shares no code with `recomp`. What it knows of the system is written down here a second time, from the public
documentation, so that an error would have to be made twice to pass. See `__main__` for the command and its output.
"""
