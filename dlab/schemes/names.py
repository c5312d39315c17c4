"""The names under which samplers are known elsewhere: what each is here, as scheme, grid and option of a study file."""

from dataclasses import dataclass

KARRAS, LINEAR, FLOW, LOG = ({"name": name} for name in ("karras", "vp-linear", "flow", "log-snr"))


@dataclass(frozen=True)
class Name:
    """name is what `source` calls it. scheme: of the registry; grid: object of a study file, None where the name says nothing of one;
    options: keys of a study file; note: what differs, or what else to know, "" for nothing."""

    name: str
    source: str
    scheme: str
    grid: dict | None = None
    options: tuple[tuple[str, float], ...] = ()
    note: str = ""


DIFFUSION, DIFFUSERS = "k-diffusion", "diffusers"
NAMES: dict[str, Name] = {n.name: n for n in (
    Name("Euler", DIFFUSION, "DDIM", note="Euler's method for the flow in σ is DDIM"),
    Name("Euler Karras", DIFFUSION, "DDIM", KARRAS),
    Name("Euler a", DIFFUSION, "DDPM", options=(("noise", 0.0),), note="ancestral: DDPM with β̃"),
    Name("Euler a Karras", DIFFUSION, "DDPM", KARRAS, (("noise", 0.0),)),
    Name("Heun", DIFFUSION, "EDM-HEUN", note="the trapezoidal rule in σ"),
    Name("Heun Karras", DIFFUSION, "EDM-HEUN", KARRAS),
    Name("DPM2", DIFFUSION, "DPM2", note="the midpoint in log σ"),
    Name("DPM2 Karras", DIFFUSION, "DPM2", KARRAS),
    Name("DPM++ 2M", DIFFUSION, "2M"),
    Name("DPM++ 2M Karras", DIFFUSION, "2M", KARRAS),
    Name("DPM++ 2M SDE", DIFFUSION, "2M-SDE", note="solver type midpoint, η = 1"),
    Name("DPM++ 2M SDE Karras", DIFFUSION, "2M-SDE", KARRAS),
    Name("DPM++ SDE", DIFFUSION, "SEEDS2", note="two stages, r = ½"),
    Name("DPM++ SDE Karras", DIFFUSION, "SEEDS2", KARRAS),
    Name("DDPM fixed small", DIFFUSERS, "DDPM", LINEAR, (("noise", 0.0),), "variance β̃"),
    Name("DDPM fixed large", DIFFUSERS, "DDPM", LINEAR, (("noise", 1.0),), "variance β"),
    Name("DDIM", DIFFUSERS, "DDIM", LINEAR, note="η = 0"),
    Name("DDIM η = 1", DIFFUSERS, "DDPM", LINEAR, (("noise", 0.0),), "DDPM with β̃"),
    Name("DPM-Solver-2", "Lu et al. 2022", "DPM2", LOG),
    Name("DPM-Solver-3", "Lu et al. 2022", "DPM3", LOG),
    Name("DPM-Solver++ 2M", "Lu et al. 2022", "2M", LOG),
    Name("SDE-DPM-Solver++ 1", "Lu et al. 2022", "DDPM", LOG, (("noise", 0.0),), "DDPM with β̃"),
    Name("UniPC", DIFFUSERS, "UNIPC2", note="order 2, B(h) = e⁻ʰ − 1: DPM++ 2M with a corrector"),
    Name("UniPC Karras", DIFFUSERS, "UNIPC2", KARRAS),
    Name("Flow matching, Euler", DIFFUSERS, "DDIM", FLOW, note="a straight step of x freezes x₀ and ε"),
    Name("EDM deterministic", "Karras et al. 2022", "EDM-HEUN", KARRAS, note="algorithm 1"),
    Name("EDM stochastic", "Karras et al. 2022", "CHURN", KARRAS, (("churn", 40.0),), "algorithm 2, noise at every σ and S_noise = 1"),
    Name("SEEDS-2", "Gonzalez et al. 2023", "SEEDS2", LOG),
    Name("Reverse diffusion, VE", "Song et al. 2021", "VE-EM", LOG),
    Name("Euler–Maruyama, VP", "Song et al. 2021", "EM-FROZEN", LINEAR, note="β at the start of each step"),
    Name("Predictor–corrector", "Song et al. 2021", "PC", LOG, note="with a fixed Langevin step"),
    Name("Optimal covariance", "Bao et al. 2022", "OC", note="with the whole covariance"),
)}  # fmt: skip
