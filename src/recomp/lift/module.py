"""The lifted module in its dense form: what `lift` writes and `emit` reads.

Guest code stays in the segments' bytes; the module says where functions and basic blocks lie in it and how they are
joined. `lift` does not mention C; `emit` does not look for code. Format: docs/formats/module.md.
"""

from __future__ import annotations

import msgspec

TERMINATORS = (
    "fallthrough",  # the next block is a leader; successors = (next,)
    "branch",  # b to a block of this function
    "cond",  # b.cond, cbz, cbnz, tbz, tbnz: successors = (taken, fallthrough)
    "call",  # bl: successors = (post-call,), () when the callee never returns; `target` is the callee
    "call_indirect",  # blr: successors = (post-call,)
    "jump_table",  # br with every target known: successors = targets without repetition, `table` says which index
    "jump_indirect",  # br with unknown targets (often a tail call through a pointer)
    "tail_call",  # b, or b.cond whose taken side leaves the function: `target`; successors = () or (fallthrough,)
    "ret",  # ret, any register
    "trap",  # brk, udf, hlt or a word no table knows: nothing follows
    "left_out",  # the way into a function that is left out on purpose: a trap, whatever the word
)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of guest memory. `base` and `size` in bytes of guest address space; `init_path` is relative to the
    module file and holds the first `init_size` bytes; the rest is zero."""

    name: str
    base: int
    size: int
    read: bool
    write: bool
    execute: bool
    init_path: str = ""
    init_size: int = 0


class Block(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A basic block: `insns` instructions from guest address `start`, the last one the terminator
    (except for `fallthrough`, where it is an ordinary instruction)."""

    start: int
    insns: int
    terminator: str
    successors: tuple[int, ...] = ()
    target: int = 0


class Function(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A function: blocks sorted by address; `entries` are further addresses where control may enter from outside
    (landing pads, places behind setjmp, targets that an earlier run reported as misses)."""

    name: str
    start: int
    end: int
    evidence: str
    blocks: tuple[Block, ...]
    entries: tuple[int, ...] = ()
    noreturn: bool = False
    #: "again": an entry is behind a call that may return once more (setjmp), even from a signal handler; "relay": the
    #: function itself returns once more by that (sigsetjmp), although it has returned before
    returns: str = ""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A module of an "horizon" program. Guest addresses; `mod0` is 0 without one. `relocated`: its words are stored as
    relocation leaves them, and nothing is left to do for start-up code."""

    name: str
    base: int
    entry: int
    text: int
    text_size: int
    rodata: int
    rodata_size: int
    data: int
    data_size: int
    bss_size: int
    mod0: int = 0
    relocated: bool = False


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A whole guest program. `abi` says which runtime it speaks to."""

    schema_version: str = "1"
    arch: str = "aarch64"
    form: str = "a64"
    abi: str = "linux"
    entry: int
    segments: tuple[Segment, ...]
    functions: tuple[Function, ...]
    #: what the ELF auxiliary vector needs: guest address, entry size and count of the program headers
    phdr: int = 0
    phent: int = 0
    phnum: int = 0
    #: which registers a guest's handler of faults gets exactly: "" none, "frame" x28..x30 and sp, "all"
    faults: str = ""
    #: the modules of an "horizon" program, in the order of their bases
    images: tuple[Image, ...] = ()


def encode_module(module: Module) -> bytes:
    """The module as JSON, one function a line, the same bytes for the same module."""
    encoder = msgspec.json.Encoder(order="deterministic")
    head = encoder.encode(msgspec.structs.replace(module, functions=()))
    lines = b",\n".join(encoder.encode(f) for f in module.functions)
    return head.replace(b'"functions":[]', b'"functions":[\n' + lines + b"\n]", 1) + b"\n"


def decode_module(data: bytes) -> Module:
    """Raises msgspec.ValidationError or msgspec.DecodeError for anything that is not a module."""
    return msgspec.json.decode(data, type=Module)
