"""The A64 instruction set as data: `*.decode` tables, and the decoder they define."""

from recomp.a64.table import Insn, Pattern, decode, patterns

__all__ = ["Insn", "Pattern", "decode", "patterns"]
