"""`recomp completion SHELL`: a script made from the argument parser itself."""

from __future__ import annotations

import argparse

from recomp.cli.arguments import COMMANDS, parser_of


def command(options: argparse.Namespace) -> int:
    commands = {name: _options(parser_of(name)) for name in COMMANDS}
    helps = {name: command.summary for name, command in COMMANDS.items()}
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[options.shell](commands, helps))
    return 0


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {name: action.help or "" for action in parser._actions for name in action.option_strings}


def _bash(commands: dict[str, dict[str, str]], helps: dict[str, str]) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(options)}" ;;' for name, options in commands.items())
    return f"""\
_recomp() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words=""
  case ${{COMP_WORDS[1]}} in
{cases}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="{" ".join(commands)}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case $current in -*) ;; *) if [ "$COMP_CWORD" -gt 1 ]; then COMPREPLY+=($(compgen -f -- "$current")); fi ;; esac
}}
complete -o filenames -F _recomp recomp"""


def _zsh(commands: dict[str, dict[str, str]], helps: dict[str, str]) -> str:
    names = " ".join(f"'{name}:{_quote(helps.get(name, ''))}'" for name in commands)
    cases = "\n".join(
        f"    {name}) _arguments {_zsh_options(options)} '*:file:_files' ;;" for name, options in commands.items()
    )
    return f"""\
#compdef recomp
_recomp() {{
  if (( CURRENT == 2 )); then local -a names=({names}); _describe command names; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
{cases}
  esac
}}
compdef _recomp recomp"""


def _zsh_options(options: dict[str, str]) -> str:
    return " ".join(f"'{name}[{_quote(text)}]'" for name, text in options.items())


def _fish(commands: dict[str, dict[str, str]], helps: dict[str, str]) -> str:
    lines = [
        f"complete -c recomp -n __fish_use_subcommand -f -a {name} -d '{_quote(helps.get(name, ''))}'"
        for name in commands
    ]
    for name, options in commands.items():
        for option, text in options.items():
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            lines.append(f"complete -c recomp -n '__fish_seen_subcommand_from {name}' {flag} -d '{_quote(text)}'")
    return "\n".join(lines)


def _quote(text: str) -> str:
    """Help text inside single quotes and brackets of any of the three shells."""
    return text.replace("'", "’").replace("[", "(").replace("]", ")").replace(":", " -").replace("\\", "/")
