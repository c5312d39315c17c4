"""Settings that follow from registries: the numbers of targets, score errors, time grids and schemes."""

import math
from collections.abc import Set

from dlab import errors, grid, schemes, targets
from dlab.ui.kinds import Number, Rung, Setting

SYNTHETIC = ("rows", "spread", "data")  # knobs of the logistic target that an uploaded CSV stands in for
GRID_LABELS = {
    "sigma_max": "Largest σ", "sigma_min": "Smallest σ", "rho": "ρ", "beta_min": "Smallest β", "beta_max": "Largest β",
    "delta": "Smallest t", "v": "Scale v", "m0": "m₀",
}  # fmt: skip


def of_registries(taken: Set[str]) -> list[Setting]:
    """The settings of all that is registered; taken: names that other settings have."""
    knobs = [_target_knob(entry, knob, taken) for entry in targets.REGISTRY.values() for knob in entry.knobs]
    knobs += [_error_knob(entry, knob) for entry in errors.REGISTRY.values() for knob in entry.knobs]
    knobs += [Number.of(k, f"so.{k.name}", group="error", key=f"e_{k.name}") for k in errors.SECOND_ORDER]
    knobs += [_grid_number(name, key, *numbers) for name, maker in grid.MAKERS.items() for key, numbers in maker.settings.items()]
    return [*knobs, *map(_scheme_number, schemes.OPTIONS.values())]


def _target_knob(entry, knob, taken) -> Number:
    # "data" is the key of an uploaded CSV; the data seed of the synthetic one travels as "dataseed".
    key = "dataseed" if knob.name == "data" else f"t_{knob.name}" if knob.name in taken else knob.name
    synthetic = entry.name == "logistic" and knob.name in SYNTHETIC

    def address(values):
        return key if values["target"] == entry.name and not values["spec"] and not (synthetic and values["csv"]) else ""

    return Number.of(knob, f"{entry.name}.{knob.name}", group="target", key=address)


def _error_knob(entry, knob) -> Number:
    def address(values):
        if values["error"] == entry.name:
            return f"e_{knob.name}"
        return f"m_{knob.name}" if values["model"] == entry.name and knob.name != "level" else ""

    return Number.of(knob, f"{entry.name}.{knob.name}", group="error", key=address)


def _grid_number(name, key, default, low, high) -> Number:
    step = 10.0 ** (math.floor(math.log10(default)) - 1)
    return Number(
        f"{name}.{key}", GRID_LABELS[key], default, low, high, step, look="number_input", group="h", help="A parameter of the time grid.",
        key=lambda values: f"g_{key}" if values["grid"] == name else "",
    )  # fmt: skip


def in_file(value: float) -> float | str:
    """An option's value as a study file has it: JSON has no infinity."""
    return "inf" if math.isinf(value) else value


def _scheme_number(option) -> Rung:
    def has(names):
        return any((o := schemes.REGISTRY[s].option) and o.key == option.key for s in names)

    def asked(values):
        value = values[option.key]
        if value == option.default or not has(values["schemes"]):
            return {}
        return {option.key: in_file(value)}

    return Rung(
        option.key, option.label, option.default, option.offered, group="schemes", look="select_slider", help=option.help, study=asked,
        key=lambda values: option.key if has((*values["schemes"], *values["panels"])) else "", when=lambda values: has(values["schemes"]),
    )  # fmt: skip
