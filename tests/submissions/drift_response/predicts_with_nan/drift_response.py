"""Predictions that are not numbers."""

from base_solution import Monitor as Monitor
