"""Stokes maps of a magnetic field: the Unno-Rachkovsky solution for a Milne-Eddington atmosphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import wofz

from .fields import Field


@dataclass(frozen=True)
class Line:
    """A normal Zeeman triplet in a Milne-Eddington atmosphere.

    Attributes
    ----------
    offset : float
        Wavelength from line centre, in Doppler widths.
    strength : float
        Ratio of line to continuum opacity.
    damping : float
        Voigt damping parameter.
    splitting : float
        Zeeman splitting at unit field strength, in Doppler widths.
    """

    offset: float
    strength: float
    damping: float
    splitting: float


def synthesise(
    line: Line, b_los: Field, b_x: Field, b_y: Field, velocity: Field, gradient: Field
) -> tuple[Field, Field, Field]:
    """Return Stokes Q, U and V at one wavelength for a map of vector fields.

    Landi Degl'Innocenti & Landolfi (2004), eqs. 9.39 and 9.110.

    Parameters
    ----------
    line : Line
        The spectral line and the wavelength in it.
    b_los, b_x, b_y : ndarray, shape (y, x)
        Field along the line of sight and in the plane of the sky, in units where ``line.splitting`` holds.
    velocity : ndarray, shape (y, x)
        Line-of-sight velocity in Doppler widths.
    gradient : ndarray, shape (y, x)
        Gradient of the source function, which scales all polarisation.
    """
    b_transverse2 = b_x**2 + b_y**2
    b2 = b_los**2 + b_transverse2 + 1e-12
    strength = np.sqrt(b2)
    cos_g = b_los / strength
    sin2_g = b_transverse2 / b2
    cos_2chi = (b_x**2 - b_y**2) / (b_transverse2 + 1e-12)
    sin_2chi = 2 * b_x * b_y / (b_transverse2 + 1e-12)

    position = line.offset - velocity
    shift = line.splitting * strength
    pi, blue, red = (
        line.strength * wofz(p + 1j * line.damping).astype(np.complex64)
        for p in (position, position + shift, position - shift)
    )
    sigma = 0.5 * (blue + red)
    linear = 0.5 * (pi - sigma) * sin2_g
    circular = 0.5 * (red - blue) * cos_g
    eta_i = 0.5 * (pi.real * sin2_g + sigma.real * (1 + cos_g**2))
    eta_q, rho_q = linear.real * cos_2chi, linear.imag * cos_2chi
    eta_u, rho_u = linear.real * sin_2chi, linear.imag * sin_2chi
    eta_v, rho_v = circular.real, circular.imag

    a = 1 + eta_i
    mixed = eta_q * rho_q + eta_u * rho_u + eta_v * rho_v
    determinant = a**2 * (a**2 - eta_q**2 - eta_u**2 - eta_v**2 + rho_q**2 + rho_u**2 + rho_v**2) - mixed**2
    factor = -gradient / determinant
    q = factor * (a**2 * eta_q + a * (eta_v * rho_u - eta_u * rho_v) + rho_q * mixed)
    u = factor * (a**2 * eta_u + a * (eta_q * rho_v - eta_v * rho_q) + rho_u * mixed)
    v = factor * (a**2 * eta_v + a * (eta_u * rho_q - eta_q * rho_u) + rho_v * mixed)
    return q.astype(np.float32), u.astype(np.float32), v.astype(np.float32)
