"""The command line stays quick to start: textual is loaded by a live view in a terminal, and by nothing else."""

import subprocess
import sys
from pathlib import Path

import contribd.cli
from contribd.cli import COMMANDS

TERMINAL = Path(contribd.cli.__file__).parents[1] / "terminal"
WIDGETS = {"live_app", "live_table", "screens"}


def loaded(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    return done.stdout.split()


def test_no_command_loads_textual_before_it_is_used() -> None:
    imports = "; ".join(f"import contribd.cli.{name}" for name in COMMANDS)
    code = f"import sys; {imports}; import contribd.worker; print(*sys.modules)"
    found = loaded(code)
    assert "contribd.cli.top" in found
    assert not [name for name in found if name.partition(".")[0] == "textual"]


def test_what_is_shown_is_made_without_textual() -> None:
    models = [path.stem for path in TERMINAL.glob("*.py") if path.stem not in {*WIDGETS, "__init__"}]
    found = loaded(
        f"import sys; {'; '.join(f'import contribd.terminal.{name}' for name in models)}; print(*sys.modules)"
    )
    assert "contribd.terminal.top_model" in found
    assert "textual" not in found
