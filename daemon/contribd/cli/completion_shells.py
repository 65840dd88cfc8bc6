"""Completions as each shell wants them.

What is typed before the cursor is read once: the words of the command, and the configuration that ``--config`` names.
An option with a value takes the word behind it with it, so that no value is taken for a command. Then the word at the
cursor is completed: a value of the option before it, an option, a command, or the command's own argument. Nothing of
contribd runs meanwhile, but where a mapping or a desk of the configuration is typed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from contribd.cli.completion_tree import Kind, Node, Option, Takes

_MADE: Final = "made by contribd completion"


def bash(nodes: Sequence[Node]) -> str:
    """For ``complete -F``."""
    return _lines(
        [
            f"# bash completion for contribd, {_MADE} bash",
            "_contribd() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
            "    local command= config= i",
            "    [[ $current == = ]] && current=",
            "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD-2]}",
            "    COMPREPLY=()",
            "    for ((i = 1; i < COMP_CWORD; i++)); do",
            *_reading(nodes, "${COMP_WORDS[i]}", "${COMP_WORDS[i+1]}", "        "),
            "    done",
            *_cases(nodes, _bash_takes, _bash_options, _bash_commands),
            "}",
            "_contribd_words() {",
            '    COMPREPLY=($(compgen -W "$1" -- "$current"))',
            "}",
            "_contribd_files() {",
            "    compopt -o filenames 2> /dev/null",
            '    COMPREPLY=($(compgen "$1" -- "$current"))',
            "}",
            "_contribd_names() {",
            "    local name",
            "    while read -r name; do",
            '        [[ $name == "$current"* ]] && COMPREPLY+=("$(printf %q "$name")")',
            '    done < <("${COMP_WORDS[0]}" completion --names "$1" ${config:+--config "$config"} 2> /dev/null)',
            "}",
            "complete -F _contribd contribd",
        ]
    )


def zsh(nodes: Sequence[Node]) -> str:
    """A function for ``$fpath``, or to be sourced behind ``compinit``."""
    return _lines(
        [
            "#compdef contribd",
            f"# zsh completion for contribd, {_MADE} zsh",
            "_contribd() {",
            "    local current=${words[CURRENT]} before=${words[CURRENT-1]} command= config= i",
            "    local -a list",
            "    for ((i = 2; i < CURRENT; i++)); do",
            *_reading(nodes, "${words[i]}", "${words[i+1]}", "        "),
            "    done",
            *_cases(nodes, _zsh_takes, _zsh_options, _zsh_commands),
            "}",
            "_contribd_names() {",
            '    list=(${(f)"$(${words[1]} completion --names "$1" \\',
            '        ${config:+--config} ${config:+"$config"} 2> /dev/null)"})',
            "    compadd -a list",
            "}",
            'if [ "${funcstack[1]}" = "_contribd" ]; then _contribd "$@"; else compdef _contribd contribd; fi',
        ]
    )


def fish(nodes: Sequence[Node]) -> str:
    """For a folder of ``$fish_complete_path``."""
    return _lines(
        [
            f"# fish completion for contribd, {_MADE} fish",
            "function __contribd_at",
            "    set -l command ''",
            "    set -l skip 0",
            "    for word in (commandline -opc)[2..-1]",
            "        if test $skip = 1",
            "            set skip 0",
            "            continue",
            "        end",
            '        switch "$command:$word"',
            *_fish_reading(nodes),
            "        end",
            "    end",
            '    test "$command" = "$argv[1]"',
            "end",
            "complete -c contribd -f",
            *(line for node in nodes for line in _fish_node(node)),
        ]
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


# bash and zsh: the same way through what was typed


def _reading(nodes: Sequence[Node], word: str, behind: str, indent: str) -> Iterator[str]:
    """Which command it is, so far as was typed."""
    yield f'{indent}case "$command:{word}" in'
    for node in nodes:
        configs = [name for option in node.options for name in option.names if "--config" in option.names]
        valued = [name for option in node.options if option.takes for name in option.names if name not in configs]
        if configs:
            yield f"{indent}    {_patterns(node, configs)}) config={behind}; ((i++)) ;;"
        if valued:
            yield f"{indent}    {_patterns(node, valued)}) ((i++)) ;;"
        for name, _ in node.below:
            yield f'{indent}    "{node.name}:{name}") command="{" ".join((*node.words, name))}" ;;'
    yield f"{indent}esac"


def _patterns(node: Node, names: Iterable[str]) -> str:
    return "|".join(f'"{node.name}:{name}"' for name in names)


def _cases(
    nodes: Sequence[Node],
    takes: Callable[[Takes], str],
    options: Callable[[Sequence[Option]], str],
    commands: Callable[[Node], str],
) -> Iterator[str]:
    yield '    case "$command:$before" in'
    for node in nodes:
        for option in node.options:
            if option.takes is not None:
                yield f"        {_patterns(node, option.names)}) {takes(option.takes)}; return ;;"
    yield "    esac"
    yield '    case "$command:$current" in'
    yield from (f'        "{node.name}:-"*) {options(node.options)} ;;' for node in nodes)
    for node in nodes:
        argument = commands(node) if node.below else takes(node.argument) if node.argument else ":"
        yield f'        "{node.name}:"*) {argument} ;;'
    yield "    esac"


def _bash_takes(takes: Takes) -> str:
    return {
        Kind.WORDS: f'_contribd_words "{" ".join(takes.words)}"',
        Kind.FILES: "_contribd_files -f",
        Kind.FOLDERS: "_contribd_files -d",
        Kind.MAPPINGS: "_contribd_names mappings",
        Kind.DESKS: "_contribd_names desks",
        Kind.ANYTHING: ":",
    }[takes.kind]


def _bash_options(options: Sequence[Option]) -> str:
    return f'_contribd_words "{" ".join(name for option in options for name in option.names)}"'


def _bash_commands(node: Node) -> str:
    return f'_contribd_words "{" ".join(name for name, _ in node.below)}"'


def _zsh_takes(takes: Takes) -> str:
    return {
        Kind.WORDS: f"compadd {' '.join(takes.words)}",
        Kind.FILES: "_files",
        Kind.FOLDERS: "_files -/",
        Kind.MAPPINGS: "_contribd_names mappings",
        Kind.DESKS: "_contribd_names desks",
        Kind.ANYTHING: "_message value",
    }[takes.kind]


def _zsh_options(options: Sequence[Option]) -> str:
    return _zsh_described("option", [(name, option.about) for option in options for name in option.names])


def _zsh_commands(node: Node) -> str:
    return _zsh_described("command", node.below)


def _zsh_described(what: str, items: Iterable[tuple[str, str]]) -> str:
    listed = " ".join(f"'{name}:{about}'" for name, about in items)
    return f"list=({listed}); _describe {what} list"


# fish


def _fish_reading(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        valued = [name for option in node.options if option.takes for name in option.names]
        if valued:
            yield "            case " + " ".join(f"'{node.name}:{name}'" for name in valued)
            yield "                set skip 1"
        for name, _ in node.below:
            yield f"            case '{node.name}:{name}'"
            yield f"                set command '{' '.join((*node.words, name))}'"


def _fish_node(node: Node) -> Iterator[str]:
    at = f"complete -c contribd -n '__contribd_at \"{node.name}\"'"
    for name, about in node.below:
        yield f"{at} -a {name} -d '{about}'"
    if not node.below and node.argument and (given := _fish_takes(node.argument)):
        yield f"{at} {given}"
    for option in node.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        takes = f" -r {_fish_takes(option.takes)}" if option.takes else ""
        yield f"{at} {names}{takes.rstrip()} -d '{option.about}'"


def _fish_takes(takes: Takes) -> str:
    return {
        Kind.WORDS: f"-a '{' '.join(takes.words)}'",
        Kind.FILES: "-F",
        Kind.FOLDERS: "-a '(__fish_complete_directories)'",
        Kind.MAPPINGS: "-a '(contribd completion --names mappings 2> /dev/null)'",
        Kind.DESKS: "-a '(contribd completion --names desks 2> /dev/null)'",
        Kind.ANYTHING: "",
    }[takes.kind]
