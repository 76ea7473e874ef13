"""A floor imports only from floors below it."""

import ast
from pathlib import Path

import pytest

import softgrasp_plugin

PACKAGE = Path(softgrasp_plugin.__file__).parent
FLOORS = (
    "allocator",
    "bounds",
    "files",
    "running_command",
    "lerobot_internals",
    "joints",
    "colors",
    "observed_columns",
    "units",
    "pictures",
    "hub_configs",
    "grasping",
    "live",
    "devices",
    "simulation",
    "emulators",
    "figures",
    "datasets",
    "envs",
    "policies",
    "cards",
    "teleoperators",
    "robots",
    "options",
    "experiments",
    "scripts",
)


def imported_floors(path: Path) -> set[str]:
    """Names of the floors that a module of the package imports from."""
    depth = len(path.relative_to(PACKAGE).parts)
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level == depth:  # from the package itself: `..grasping.lift`, or `.. import joints`
                names |= {(node.module or alias.name).split(".")[0] for alias in node.names}
            elif node.level == 0 and (node.module or "").startswith("softgrasp_plugin."):
                names.add((node.module or "").split(".")[1])
    return names & set(FLOORS)


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down(floor: str) -> None:
    single = PACKAGE / f"{floor}.py"
    modules = [single] if single.exists() else sorted((PACKAGE / floor).rglob("*.py"))
    assert modules
    allowed = set(FLOORS[: FLOORS.index(floor) + 1])
    upward = {str(module.relative_to(PACKAGE)): imported_floors(module) - allowed for module in modules}
    assert {module: names for module, names in upward.items() if names} == {}
