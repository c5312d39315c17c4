"""The words of the Logistic regression page, with today's numbers."""

import streamlit as st

from dlab.figures.numbers import number, step_size
from dlab.study import Study
from dlab.targets import sampled


def sigma(result: dict) -> float:
    """Standard deviation of the target's first coordinate in a result."""
    return result["facts"]["cov"][0][0] ** 0.5


def atoms(target: dict) -> int:
    """How many posterior samples the score of a target object is made of."""
    return target.get("atoms", sampled.FORMS[target.get("score", "kernel")])


def experiment(study: Study) -> None:
    """How the experiment is rebuilt, and what the paper leaves open."""
    st.markdown(
        "As in the paper, $d = 20$ with 100 observations, features from N(0, 100), $T = 10$ and the start N(0, $\\sigma_T^2 I$). "
        "The posterior is sampled by the no-U-turn sampler in the coordinates of its Laplace approximation; R̂ and the effective "
        "sample size stand in the notes. Half of the chains make the score, the other half stand for the target, so the two are "
        "independent."
    )
    st.markdown(
        f"Score and Hessian of $p_t$ are ratios of sums of Gaussian kernels over {atoms(study.target):,} of these "
        f"samples, the weights normalised by "
        "their sum: the paper's formulas. Each scheme moves "
        f"{study.particles:,} particles. $W_2$ of the first coordinate is read off sorted values against as many samples of the "
        "target; the bars are 95 % intervals by leaving out one of 32 blocks of either sample in turn. Two samples of the target alone "
        "read what the column “floor” says."
    )
    st.markdown(
        "The paper takes $N = \\lfloor T/h\\rfloor$ steps. Where $h$ does not divide $T$ that leaves noise of variance up to $h$ in the "
        "samples; here $N$ is whole and $h = T/N$ exactly. Not given in the paper, and chosen here: how the labels are made (a "
        "logistic model with a random unit parameter), the numbers of particles and samples, the sampler, and the seeds."
    )


def theorem(result: dict) -> None:
    """What the theorems say of this target."""
    facts = result["facts"]
    row = min((r for r in result["rows"] if r["scheme"] == "EM"), key=lambda r: r["h"])
    st.markdown(
        f"$m_0 = \\lambda = {number(facts['m0'])}$ and $L_0 = {number(facts['L0'])}$ (proven: the data add at most "
        "$\\lambda_{\\max}(X^\\top X/n)/4$). $m_{\\min} = \\min(1, m_0)$ is 1, so that a large $\\lambda$ helps the theorem nothing "
        "and harms it through $L_{\\max} = 1 + L_0$."
    )
    if row["bound"] is not None:
        st.markdown(
            f"At h = {step_size(row['h'])} Theorem 1 allows EM a distance of {number(row['bound'])} in all "
            f"{len(facts['mean'])} coordinates; "
            f"measured in one of them: {number(row['w2'])}. The bound's own condition, $h$ small against $1/L_{{\\max}}$, does not hold "
            "at the paper's step sizes. $L_F$ is unknown here, so that Theorem 4 gives SO no number."
        )


def surrogate(study: Study) -> None:
    """What the lines of the second picture are."""
    st.caption(
        f"Lines: the exact law of the first coordinate on the Laplace approximation, begun at T = {study.T:g} from p_T itself, so that "
        "small steps are affordable. From T = 10 no value differs by more than a ten-thousandth part."
    )


def hypothesis() -> None:
    """The question behind the readings."""
    st.markdown(
        "With an exact score REM and REI do far worse here than EM: their midpoint may lie next to $t = 0$, where the score is as "
        "steep as $L \\approx \\lambda$, and the step moves a particle by $hL \\gg 1$ times its distance from the "
        "middle. In the paper's figure REM lies on EM, and REI on EI. One might think that a "
        "Monte Carlo score of finitely many samples is flatter near $t = 0$ and so caps the midpoint's pull. Tried below: the ratio of "
        "kernels with 100, 1,000 and 10,000 samples; the same ratio as plain sums with a guard against 0/0; a bounded form, the mean of "
        "$\\nabla\\log p_0$ over the same samples; and a midpoint whose score is taken at the time at which the step starts."
    )


def csv() -> None:
    """What to upload."""
    st.markdown(
        "Upload a CSV, beside the picture: a row for each observation, a column for each of 2 to 50 features, and the labels, 1 and −1 "
        "or 1 and 0, in the last column or in one named y. A header is welcome. The features are standardised, so that one penalty λ "
        "fits them all. You then get the $W_2$ curve of the first coordinate of θ (with the score from samples that "
        "follow the particle, of all "
        "coordinates, by projection), and its check by the Laplace approximation. A link to this page carries the settings and no data: "
        "whoever opens it uploads the file again."
    )
