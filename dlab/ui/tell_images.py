"""The words of the Images page."""

import streamlit as st

from dlab import measure


def measured() -> None:
    st.markdown(MEASURED)
    for name in ("frechet", "frechet-diagonal", "sliced"):
        st.markdown(measure.method(name).explanation)
    st.markdown(COPIES)


def theorem() -> None:
    st.markdown(THEOREM)


MEASURED = r"""**The law.** The data set smoothed by noise of standard deviation $w$: $p_0=\frac1K\sum_k\mathcal N(x_k,w^2I)$. Its
score at every $t$ is exact: with the weights $\pi_k$ that $x$ gives to the images and their mean image $m$, $s=(a_t m-x)/\tau^2$
with $\tau^2=a_t^2w^2+\sigma_t^2$, the ideal denoiser. **SO without a matrix.** $Hv=-v/\tau^2+\frac{a_t^2}{\tau^4}C v$, with the
covariance $C$ of the images under $\pi$, costs what a score costs. The step's two functions of $L=\frac12I+H$, $\varphi_2$ and the
root of $h\varphi_1(2hL)$, are applied by Lanczos: products are added until the estimated error is below $10^{-4}$ of the step's
noise $\sqrt{hd}$, for every image. No $d\times d$ matrix is formed. With $\varphi_1(z)=1+z\varphi_2(z)$ and $M=x/4-L\gamma$ the
step's drift is $h\gamma+\frac{h^2}4\varphi_2(hL)x$: one score and a handful of products in all."""
COPIES = r"""**Copies.** A sample of $p_0$ itself is about $w\sqrt d$ from its image. A sample nearer than $1.5\,w\sqrt d$ to some
image of the data counts as a copy. The standard error is that of a share; the same noise is added to the images kept out of the
data, so that they compare."""
THEOREM = r"""Nothing: a smoothed data set is far from log-concave ($m_0\le\frac12$, deeply negative), so every theorem's bound is
void. What fails can be seen. Between two images $C$ is large, $L$ has eigenvalues $\lambda$ of the order of $D^2/(4w^4)$, $D$ their
distance, and the reverse drift pushes points apart like $e^{\lambda t}$. SO takes $L$ as constant over a step and grows by
$e^{h\lambda}$; in truth a point soon settles on one image and $\lambda$ falls. So its steps are cut where $h\lambda$ would exceed
the chosen limit, and the cost is counted. Without the cut, an image that met $h\lambda>4$ is crossed out rather than drawn. Taylor
polynomials for the same functions, as the paper takes for MNIST, hide this growth: they replace the exponential by a power."""
