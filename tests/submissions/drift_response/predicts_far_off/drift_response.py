"""Expects to find everything late, and to cry wolf all the time."""

from base_solution import Monitor as Monitor
