"""NSO modules from C, by the compiler that ships with the project: shared objects in the shape of a console's."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from recomp.formats.nso import nso_of_elf

#: Text at 0 begins with a branch to `nx_start` and the offset of MOD0, as in every console module.
SCRIPT = """
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); dynamic PT_DYNAMIC FLAGS(6); }
SECTIONS
{
  . = 0;
  .text : { LONG(0x14000000 + nx_start / 4) LONG(__mod0) . = 0x80; *(.text .text.*) } :text
  .plt : { *(.plt) } :text
  . = ALIGN(0x1000);
  .rodata : { *(.rodata .rodata.*) . = ALIGN(8); __mod0 = .;
    LONG(0x30444F4D) LONG(_DYNAMIC - __mod0) LONG(__bss_start - __mod0) LONG(__bss_end - __mod0)
    LONG(__frames - __mod0) LONG(__frames_end - __mod0) LONG(0) } :rodata
  .dynsym : { *(.dynsym) } :rodata
  .dynstr : { *(.dynstr) } :rodata
  .hash : { *(.hash) } :rodata
  .gnu.hash : { *(.gnu.hash) } :rodata
  .rela.dyn : { *(.rela.dyn) } :rodata
  .rela.plt : { *(.rela.plt) } :rodata
  .relr.dyn : { *(.relr.dyn) } :rodata
  .eh_frame_hdr : { __frames = .; *(.eh_frame_hdr) __frames_end = .; } :rodata
  .eh_frame : { *(.eh_frame) } :rodata
  . = ALIGN(0x1000);
  .init_array : { *(.init_array .init_array.*) } :data
  .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) } :data
  .dynamic : { *(.dynamic) } :data :dynamic
  .got : { *(.got) } :data
  .got.plt : { *(.got.plt) } :data
  .data : { *(.data .data.*) } :data
  .bss : { __bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(0x1000); __bss_end = .; } :data
  /DISCARD/ : { *(.comment) *(.note .note.*) *(.interp) }
}
"""
ZIG = [
    *(sys.executable, "-m", "ziglang", "cc", "--target=aarch64-linux-musl", "-shared", "-fPIC", "-O1", "-nostdlib"),
    *("-g0", "-Wl,-T,nso.ld", "-Wl,-z,lazy", "-Wl,--eh-frame-hdr"),
]
START = '__attribute__((visibility("hidden"))) void nx_start(void) {}\n'


@functools.cache
def elf(name: str, source: str, *flags: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nso.ld").write_text(SCRIPT, encoding="utf-8")
        Path(folder, "module.c").write_text(source, encoding="utf-8")
        command = [*ZIG, f"-Wl,-soname,{name}", *flags, "-o", "module.elf", "module.c"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return Path(folder, "module.elf").read_bytes()


def nso(name: str, source: str, *flags: str) -> bytes:
    return nso_of_elf(elf(name, source, *flags))


#: Three modules that need each other in every way that dynamic symbols offer; `nx_start` of main returns 314,151.
MAIN = """
extern int shared_add(int), counter, (*table[2])(int), chosen(void);
__attribute__((weak)) extern int nobody(void);
int twice(int x) { return 2 * x; }
static int (*volatile pointer)(int) = shared_add;
static int *volatile place = &counter;
__attribute__((visibility("hidden"))) int nx_start(void) {
  int sum = pointer(100) + *place + table[1](7) * 1000 + chosen() * 100000;
  return nobody ? -1 : sum;
}
"""
LIBRARY = (
    START
    + """
extern int twice(int);
int counter = 5;
static int calls;
__attribute__((constructor)) static void begin(void) { counter += twice(10); }
int shared_add(int x) { calls++; return x + counter + calls; }
int (*table[2])(int) = {shared_add, twice};
__attribute__((weak)) int chosen(void) { return 1; }
"""
)
OTHER = START + "int chosen(void) { return 3; }\n"
#: shared_add(100) = 100 + 25 + 1; the constructor made counter 5 + twice(10) = 25; other's chosen is the strong one
ANSWER = 126 + 25 + 14 * 1000 + 3 * 100000
