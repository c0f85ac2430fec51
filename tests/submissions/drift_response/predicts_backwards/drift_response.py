"""Intervals from high to low."""

from base_solution import Monitor as Monitor
