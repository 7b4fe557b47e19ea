"""The page a person looks at: one HTML file without a network, the same bytes for the same run."""

from recomp.report.page import write_report

__all__ = ["write_report"]
