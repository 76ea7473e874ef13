"""The report's words on what was run, with which settings, and how to run it again."""

import math
from typing import Any

from .markdown import count, number, percent
from .plan import CONFIGURATIONS, OPERATOR, STRATEGIES
from .view import KNOWN, View


def introduction(view: View) -> str:
    """What the reader has to know to read the tables."""
    profile, setting = view.setting.profile, view.setting
    tasks, known = len(profile["tasks"]), sum(task in KNOWN for task in profile["tasks"])
    height, width = profile["image_size"]
    return "\n\n".join(
        [
            "Everything here happened in the simulation, none of it on a robot. Profile "
            f"`{setting.profile_name}`: {tasks} objects of the paper's Table 2, {known} of which are "
            f"demonstrated; camera images of {height}×{width} pixels. {_progress(view)}",
            f"**Hidden variation.** {_variation(setting.demonstrations)}",
            f"**Demonstrations.** {_demonstrations(view)}",
            f"**Training.** {_training(profile)}",
            f"**Trials.** {_trials(profile)}",
            "**Reading the tables.** A dash is something that was not run (yet); it never counts as a "
            "failure. Intervals are Wilson's 95 % intervals of all trials of all seeds together; they "
            "cover chance in the trials, while the rates of the single seeds show how much training "
            "varies. Intervals of differences treat policies as independent although they meet the same "
            "scenes, which makes them rather too wide. Every table says how many seeds and trials there "
            "were.\n",
        ]
    )


def _progress(view: View) -> str:
    done, planned = view.progress()
    trials = sum(
        cell.trials
        for run in view.results.runs
        for found in run.conditions.values()
        for cell in found.cells.values()
    )
    operator = "is" if view.runs(OPERATOR) else "is not yet"
    share = f"All {planned}" if done == planned else f"So far {done} of {planned}"
    return (
        f"{share} policies are trained and tried under the nominal condition, in "
        f"{count(trials)} trials under all conditions; the virtual operator {operator} among them."
    )


def _variation(demonstrations: dict[str, dict[str, Any]]) -> str:
    widths = next(iter(demonstrations.values()))["variation"]
    unseen = {name: widths[name] for name in ("mass", "stiffness", "friction") if widths[name]}
    listed = ", ".join(f"{name} ±{percent(width, 0)}" for name, width in unseen.items())
    hidden = (
        f"What only touch can tell varies too: {listed}" if unseen else "Nothing varies that it cannot see"
    )
    return (
        "Every episode draws its object anew around the row of Table 2, in demonstrations and trials alike. "
        f"What the camera can see varies: place ±{number(1000 * widths['position_m'])} mm, direction "
        f"±{number(math.degrees(widths['yaw_rad']), 0)}°, size ±{percent(widths['size'], 0)}. {hidden}."
    )


def _demonstrations(view: View) -> str:
    kinds = view.setting.demonstrations
    dart = kinds["dart"]
    titles = {
        kind: "” and “".join(
            CONFIGURATIONS[name].title
            for name in view.setting.profile["configurations"]
            if CONFIGURATIONS[name].demonstrations == kind
        )
        for kind in kinds
    }
    exceptions = ""
    if titles["clean"]:
        exceptions += f" Only “{titles['clean']}” learn from demonstrations without noise."
    if titles["wide"]:
        size = percent(kinds["wide"]["variation"]["size"], 0)
        exceptions += f" “{titles['wide']}” learns from objects whose size varies by ±{size}."
    if titles["more"]:
        number_of = len(kinds["more"]["objects"]) - len(dart["objects"])
        exceptions += f" “{titles['more']}” learns from {number_of} further objects as well."
    return (
        "A virtual operator, who feels the grasp through a simulated force-feedback glove, demonstrates "
        f"each of {len(dart['objects'])} objects {dart['per_object']} times; the other objects are novel to "
        "every policy. Demonstrations are recorded with DART: the hand executes the operator's command plus "
        f"slow noise (standard deviation {dart['action_noise']:g} of the closing range), while the clean "
        f"command is what is learned, so that the data show how to recover.{exceptions}"
    )


def _training(profile: dict[str, Any]) -> str:
    several = [name for name in STRATEGIES if name in profile["configurations"]]
    options = " ".join(profile["options"])
    network = {kind: " ".join(given) for kind, given in profile["network"].items() if given}
    small = "; ".join(f"`{kind}` with `{given}`" for kind, given in network.items())
    if any(kind not in CONFIGURATIONS for kind in network):
        size = f"Networks are smaller than the paper's, so that processors suffice: {small}."
    else:
        size = "Networks are as large as the paper's" + (f"; {small}." if small else ".")
    return (
        f"All policies see the same demonstrations (save for what was just said) and train with `{options}`, "
        f"plus what distinguishes it. {size} The {len(several)} strategies are trained with "
        f"{profile['strategy_seeds']} seed(s) each, everything else with {profile['other_seeds']}. Success "
        "rates are therefore to be compared with each other; beside the paper's, which come from a real "
        "robot, their order says more than their height."
    )


def _trials(profile: dict[str, Any]) -> str:
    few = profile["further_seeds"]
    policies = "one policy" if few == 1 else f"{few} policies"
    return (
        "A trial is a grasp and a vertical lift; it succeeds if the object is held and was never dropped or "
        "crushed. Every policy meets the same scenes. Under the nominal "
        f"condition every policy has {profile['trials']} per object; beyond that, {policies} of each "
        f"configuration: {profile['trials']} scenes per object where predicted torques are executed, and "
        f"{profile['further_trials']} under each further condition."
    )


def regenerate(view: View) -> str:
    """How to get these numbers again."""
    setting = view.setting
    seconds = sum(run.training.wall_s for run in view.results.runs if run.training)
    versions = ", ".join(f"{name} {number_of}" for name, number_of in setting.versions.items())
    machine = setting.machine
    commits = ", ".join(f"`{commit}`" for commit in setting.commits) or "unknown"
    devices = sorted({run.latency.device for run in view.results.runs if run.latency})
    on_gpu = machine["gpu"] and any(device.startswith("cuda") for device in devices)
    gpu = f" ({machine['gpu']})" if on_gpu else ""
    return f"""\
## How to regenerate

```shell
{setting.command}
```

Starting the command again does what is missing and writes this report, `results.json` (every number above)
and the figures anew.

- Sources: {commits}, with {versions}.
- Machine: {machine["cores"]} cores ({machine["processor"]}, {machine["system"]}).
- Policies run on: {", ".join(devices) or "nothing yet"}{gpu}.
- Training: {number(seconds / 3600)} hours in sum.
"""
