"""The record allows twenty-four changes of each type a year."""

from base_solution import Monitor as Monitor
