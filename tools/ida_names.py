"""Write name_map.json from a program that is open in IDA: names of functions, for `recomp port --name-map` and
`[analysis] name_map_json`.

As a script (File > Script file): it asks for the file. Without a window:

    ida -A -S"ida_names.py name_map.json" PROGRAM

Names that IDA made up (sub_1000, nullsub_1, j_...) are left out: they say nothing, and where functions begin the
lifter finds itself.
"""

import json
import struct

import ida_auto
import ida_bytes
import ida_funcs
import ida_kernwin
import ida_nalt
import ida_pro
import idautils
import idc

ET_DYN, PT_LOAD = 3, 1


def original_base(path):
    """Where the file itself says that the program begins: what addresses of the name map count from.

    None = the program is where it was linked to be; 0 = a module of the console: offsets from its base.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return None
    if head[:5] != b"\x7fELF\x02":
        return 0
    if struct.unpack_from("<H", head, 16)[0] != ET_DYN:
        return None
    table, size, count = struct.unpack_from("<Q", head, 32)[0], *struct.unpack_from("<HH", head, 54)
    found = [struct.unpack_from("<Q", head, at + 16)[0] for at in range(table, table + size * count, size)
             if struct.unpack_from("<I", head, at)[0] == PT_LOAD]  # fmt: skip
    return min(found, default=0)


def evidence_of(address, flags):
    if ida_bytes.has_user_name(flags):
        return "ida user_defined"
    function = ida_funcs.get_func(address)
    return "ida flirt" if function and function.flags & ida_funcs.FUNC_LIB else "ida analysis"


def collect():
    """{"0xADDRESS": {"name", "evidence"}} of every function with a name of its own."""
    base = original_base(ida_nalt.get_input_file_path())
    moved = 0 if base is None else ida_nalt.get_imagebase() - base
    names = {}
    for address in idautils.Functions():
        flags = ida_bytes.get_flags(address)
        name = idc.get_func_name(address)
        if name and not ida_bytes.has_dummy_name(flags) and not name.startswith(("nullsub_", "j_")):
            names[f"0x{address - moved:x}"] = {"name": name, "evidence": evidence_of(address, flags)}
    return names


def main():
    batch = len(idc.ARGV) > 1
    path = idc.ARGV[1] if batch else ida_kernwin.ask_file(True, "name_map.json", "Where to write name_map.json")
    if not path:
        return
    ida_auto.auto_wait()
    names = collect()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(names, file, indent=1, sort_keys=True)
        file.write("\n")
    print(f"{path}: {len(names)} names")
    if batch:
        ida_pro.qexit(0)


main()
