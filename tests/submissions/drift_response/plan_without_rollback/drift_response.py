"""Rolls back, and the change-control record does not know of it."""

from base_solution import Monitor as Monitor
