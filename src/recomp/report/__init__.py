"""The page a person looks at: one HTML file without a network, the same bytes for the same run."""

from recomp.report.from_run import report_run
from recomp.report.page import write_report

__all__ = ["report_run", "write_report"]
