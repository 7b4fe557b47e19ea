"""`recomp schema [NAME]`: the JSON Schema of a file, for editors and tests."""

from __future__ import annotations

import argparse
import json

from recomp.config.problems import nearest
from recomp.config.schema import names, schema
from recomp.errors import ConfigError


def command(options: argparse.Namespace) -> int:
    if options.name is None:
        print("\n".join(names()))
        return 0
    wanted = options.name.removesuffix(".toml").removesuffix(".json")
    found = schema(wanted)
    if found is None:
        near = nearest(wanted, names())
        raise ConfigError(
            f"schema: found {options.name!r}, expected one of {', '.join(names())}",
            hint=f'did you mean "{near}"?' if near else None,
        )
    print(json.dumps(found, indent=2))
    return 0
