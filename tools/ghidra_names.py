# Write name_map.json from a program that is open in Ghidra: names of functions, for `recomp port --name-map` and
# `[analysis] name_map_json`.
# @category recomp
#
# In the script manager: it asks for the file. Headless, under Jython or PyGhidra:
#     analyzeHeadless FOLDER PROJECT -import PROGRAM -postScript ghidra_names.py name_map.json
#
# Names that Ghidra made up (FUN_00101000) are left out: they say nothing, and where functions begin the lifter finds
# itself. Runs under Python 2.7 (Jython) too.
# ruff: noqa: F821, UP010, UP032
from __future__ import print_function

import json

ELF = "Executable and Linking Format (ELF)"


def original_base(program):
    """Where the file itself says that the program begins: what addresses of the name map count from."""
    if program.getExecutableFormat() != ELF:
        return 0  # modules of the console: offsets from the module's base
    text = program.getOptions("Program Information").getString("ELF Original Image Base", None)
    return int(text, 16) if text else program.getImageBase().getOffset()


def collect(program):
    """{"0xADDRESS": {"name", "evidence"}} of every function with a name of its own."""
    moved = program.getImageBase().getOffset() - original_base(program)
    names = {}
    for function in program.getFunctionManager().getFunctions(True):
        source = function.getSymbol().getSource().toString()
        if function.isExternal() or source == "DEFAULT":
            continue
        address = function.getEntryPoint().getOffset() - moved
        names["0x{:x}".format(address)] = {"name": function.getName(True), "evidence": "ghidra " + source.lower()}
    return names


def main():
    arguments = getScriptArgs()
    path = arguments[0] if len(arguments) else askFile("Where to write name_map.json", "Write").getPath()
    names = collect(currentProgram)
    with open(path, "w") as file:
        json.dump(names, file, indent=1, sort_keys=True)
        file.write("\n")
    print("{}: {} names".format(path, len(names)))


main()
