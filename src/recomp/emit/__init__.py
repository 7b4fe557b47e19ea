"""Functions → C text, units, the project."""

from recomp.emit.files import EmitOptions
from recomp.emit.ops import emit_ops_project
from recomp.emit.project import emit_project

__all__ = ["EmitOptions", "emit_ops_project", "emit_project"]
