"""Functions → C text, units, the project."""

from recomp.emit.project import EmitOptions, emit_project

__all__ = ["EmitOptions", "emit_project"]
