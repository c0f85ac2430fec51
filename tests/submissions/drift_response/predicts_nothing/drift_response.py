"""The predictions are an empty object."""

from base_solution import Monitor as Monitor
