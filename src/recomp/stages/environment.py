"""The environment of stage commands (contracts, section 8)."""

from __future__ import annotations

import os

from recomp.config.project import Project


def stage_environment(project: Project) -> dict[str, str]:
    """What every stage command sees, without what changes from stage to stage. All paths are absolute."""
    settings = project.settings
    policy = settings.raw["policy"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("RECOMP_")}
    env.update({
        "RECOMP_WORK_ROOT": settings.work_root,
        "RECOMP_RUN_MANIFEST": settings.run_manifest,
        "RECOMP_LIFTED_MODULE_JSON": settings.lifted_module_json,
        "RECOMP_CAPTURE_VIDEO": settings.video_path,
        "RECOMP_CAPTURE_FRAMES_DIR": settings.frames_dir,
        "RECOMP_EXECUTION_MODE": policy["execution_mode"],
        "RECOMP_POLICY_REQUIRES_APPROVAL": str(policy["requires_approval"]).lower(),
    })  # fmt: skip
    for name in ("intake_dir", "lift_dir", "build_dir", "assets_dir", "validation_dir"):
        env[f"RECOMP_{name.upper()}"] = settings.dirs[name]
    for name in ("reference_video_toml", "capture_video_toml"):  # always there; empty where there is none
        env[f"RECOMP_{name.upper()}"] = settings.path("reference", name) or ""
    optional = {
        "RECOMP_CAPTURE_AUDIO_FILE": settings.audio_file,
        "RECOMP_VALIDATION_CONFIG_TOML": settings.path("reference", "validation_config_toml"),
        "RECOMP_INPUT_SCRIPT_TOML": settings.path("reference", "input_script_toml"),
        "RECOMP_ANALYSIS_NAME_MAP_JSON": settings.path("analysis", "name_map_json"),
        "RECOMP_ANALYSIS_RUNTIME_TRACE_MANIFEST": settings.path("analysis", "runtime_trace_manifest"),
        "RECOMP_POLICY_MAX_COST_USD": policy["max_cost_usd"],
        "RECOMP_POLICY_MAX_RUNTIME_MINUTES": policy["max_runtime_minutes"],
        "RECOMP_POLICY_REDACTION_PROFILE": policy["redaction_profile"],
        "RECOMP_POLICY_ALLOWED_MODELS": _joined(policy["allowed_models"]),
        "RECOMP_POLICY_RUN_WINDOWS": _joined(policy["run_windows"]),
    }
    env.update({name: str(value) for name, value in optional.items() if value is not None})
    return env


def _joined(values: list[str] | None) -> str | None:
    return None if values is None else ",".join(values)
